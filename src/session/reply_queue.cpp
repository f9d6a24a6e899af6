// SPDX-License-Identifier: Apache-2.0
#include "session/reply_queue.hpp"

#include "pgwire/message_types.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace helios::session {
namespace {

namespace fe = pgwire::frontend;
namespace be = pgwire::backend;

bool ends_with_ready(char request) {
  return request == fe::kQuery || request == fe::kFunctionCall || request == fe::kSync;
}

// Does an answer of this type end an item of the extended protocol?
bool ends_extended_item(char request, char answer) {
  switch (request) {
    case fe::kParse: return answer == be::kParseComplete;
    case fe::kBind: return answer == be::kBindComplete;
    case fe::kClose: return answer == be::kCloseComplete;
    case fe::kDescribe: return answer == be::kRowDescription || answer == be::kNoData;
    case fe::kExecute:
      return answer == be::kCommandComplete || answer == be::kEmptyQueryResponse ||
             answer == be::kPortalSuspended;
    default: return false;
  }
}

// Uses up one CopyDone or CopyFail that was forwarded behind the item.
bool take_copy_end(ReplyItem& item) {
  if (item.copy_ends_sent == 0) return false;
  --item.copy_ends_sent;
  return true;
}

}  // namespace

QueryRun* ReplyItem::present_run() const {
  if (run) return run.get();
  return portal ? portal->run.get() : nullptr;
}

void ReplyQueue::push(ReplyItem item) {
  // Planning, too, runs functions.
  const bool may_run = item.request == fe::kBind || item.request == fe::kExecute;
  if (may_run && !item.is_ours) hides_changes_ = true;
  unit_touches_session_ |= item.touches_session;
  if (ends_with_ready(item.request) && !item.is_maybe) {
    hides_changes_ = false;
    item.touches_session = std::exchange(unit_touches_session_, false);
  }
  if (skipping_) {
    if (item.request != fe::kSync) return end(item, 0);
    skipping_ = false;
  }
  copies_ += item.may_copy_in ? 1 : 0;
  maybes_ += item.is_maybe ? 1 : 0;
  item.run_bytes = item.run ? item.run->held_bytes : 0;
  run_bytes_ += item.run_bytes;
  items_.push_back(std::move(item));
}

bool ReplyQueue::touches_session() const {
  return std::any_of(std::next(items_.begin(), static_cast<std::ptrdiff_t>(first_)), items_.end(),
                     [](const ReplyItem& item) { return item.touches_session; });
}

ReplyItem* ReplyQueue::front_of_client() {
  for (std::size_t i = first_; i < items_.size(); ++i) {
    if (!items_[i].is_ours) return &items_[i];
  }
  return nullptr;
}

void ReplyQueue::end(ReplyItem& item, char answer) {
  const bool has_names = !item.names.empty() || item.is_malformed;
  if (!item.run && !item.portal && !has_names) return;
  make_room(ended_);
  ended_.push_back({std::move(item), answer});
}

void ReplyQueue::pop(char answer) {
  ReplyItem& item = items_[first_];
  const std::size_t run_bytes = item.run_bytes;
  const bool may_copy_in = item.may_copy_in;
  const bool is_maybe = item.is_maybe;
  end(item, answer);
  item = {};
  run_bytes_ -= run_bytes;
  copies_ -= may_copy_in ? 1 : 0;
  maybes_ -= is_maybe ? 1 : 0;
  ++first_;
  constexpr std::size_t kCompactAt = 1024;
  if (first_ == items_.size()) {
    if (items_.capacity() > kCompactAt) {
      std::vector<ReplyItem>().swap(items_);
    } else {
      items_.clear();
    }
    first_ = 0;
  } else if (first_ >= kCompactAt && first_ * 2 >= items_.size()) {
    // Into memory of its own size: whoever waits for room must see it come back.
    const auto rest = std::next(items_.begin(), static_cast<std::ptrdiff_t>(first_));
    items_ = std::vector<ReplyItem>(std::make_move_iterator(rest),
                                    std::make_move_iterator(items_.end()));
    first_ = 0;
  }
}

void ReplyQueue::on_answer(char backend_type) {
  if (backend_type != be::kReadyForQuery) {
    if (!empty() && ends_extended_item(front()->request, backend_type)) pop(backend_type);
    return;
  }
  while (!empty()) {
    const bool is_end = ends_with_ready(front()->request);
    pop(is_end ? backend_type : char{0});
    if (is_end) return;
  }
}

void ReplyQueue::on_error() {
  if (empty() || ends_with_ready(front()->request)) return;
  while (!empty() && front()->request != fe::kSync) pop(0);
  skipping_ = empty();
}

bool ReplyQueue::on_copy_in() {
  if (empty()) return false;
  ReplyItem& copy = items_[first_];
  copies_ += copy.may_copy_in ? 0 : 1;
  copy.may_copy_in = true;
  bool is_ended = take_copy_end(copy);
  for (std::size_t i = first_ + 1; i < items_.size() && !is_ended; ++i) {
    ReplyItem& item = items_[i];
    if (item.request == fe::kSync && !item.is_maybe) {
      item.is_maybe = true;
      ++maybes_;
    }
    is_ended = take_copy_end(item);
  }
  return is_ended;
}

const ReplyItem* ReplyQueue::copying() const {
  if (copies_ == 0) return nullptr;
  for (std::size_t i = first_; i < items_.size(); ++i) {
    if (items_[i].may_copy_in) return &items_[i];
  }
  return nullptr;
}

void ReplyQueue::on_copy_done() {
  if (maybes_ == 0) return;
  std::size_t carried = 0;
  const auto is_swallowed = [&carried](const ReplyItem& item) {
    if (item.is_maybe) carried += item.copy_ends_sent;
    return item.is_maybe;
  };
  const auto begin = std::next(items_.begin(), static_cast<std::ptrdiff_t>(first_));
  items_.erase(std::remove_if(begin, items_.end(), is_swallowed), items_.end());
  if (!empty()) items_[first_].copy_ends_sent += static_cast<std::uint32_t>(carried);
  maybes_ = 0;
}

void ReplyQueue::end_all_ours() {
  while (!empty()) pop(0);
}

void ReplyQueue::mark_portals_under_way() {
  for (std::size_t i = first_; i < items_.size(); ++i) {
    if (items_[i].portal) items_[i].portal->is_under_way = true;
  }
}

void ReplyQueue::take_all(std::vector<std::unique_ptr<QueryRun>>& out) {
  while (!empty()) pop(0);
  take_ended([&out](EndedItem& ended) {
    const auto& portal = ended.item.portal;
    make_room(out);
    if (ended.item.run) {
      out.push_back(std::move(ended.item.run));
    } else if (portal && portal->run) {
      out.push_back(std::move(portal->run));
    }
  });
}

}  // namespace helios::session
