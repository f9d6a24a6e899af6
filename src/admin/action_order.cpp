// SPDX-License-Identifier: Apache-2.0
#include "admin/action_order.hpp"

namespace helios::admin {

// Posted, so that whoever answers is through with it before the next one begins.
ActionOrder::Turn::~Turn() {
  if (lines_ == nullptr) return;
  const auto home = lines_->home.lock();
  if (home == nullptr) return;  // nobody works any more
  home->post([lines = std::move(lines_), subject = std::move(subject_)] { go_on(lines, subject); });
}

ActionOrder::ActionOrder(std::shared_ptr<base::Executor> home)
    : lines_(std::make_shared<Lines>(Lines{.home = std::move(home), .waiting = {}})) {}

ActionOrder::~ActionOrder() { lines_->waiting.clear(); }

void ActionOrder::run(std::string subject, Work work) {
  const auto [line, is_free] = lines_->waiting.try_emplace(subject);
  if (!is_free) {
    line->second.push_back(std::move(work));
    return;
  }
  work(Turn(lines_, std::move(subject)));
}

void ActionOrder::go_on(const std::shared_ptr<Lines>& lines, const std::string& subject) {
  const auto line = lines->waiting.find(subject);
  if (line == lines->waiting.end()) return;
  if (line->second.empty()) {
    lines->waiting.erase(line);
    return;
  }
  Work next = std::move(line->second.front());
  line->second.pop_front();
  next(Turn(lines, subject));
}

}  // namespace helios::admin
