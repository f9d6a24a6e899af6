// SPDX-License-Identifier: Apache-2.0
#include "session/actions.hpp"

#include <utility>

namespace helios::session {

void Output::append_view(std::string_view bytes) {
  if (bytes.empty()) return;
  if (!pieces_.empty()) {
    std::string_view& last = pieces_.back();
    const bool is_own = !owned_.empty() && last.data() == owned_.back().data();
    if (!is_own && last.data() + last.size() == bytes.data()) {
      last = {last.data(), last.size() + bytes.size()};
      return;
    }
  }
  pieces_.push_back(bytes);
}

void Output::append(std::string bytes) {
  if (bytes.empty()) return;
  pieces_.push_back(owned_.emplace_back(std::move(bytes)));
}

std::string Output::flatten() const {
  std::string all;
  for (const std::string_view piece : pieces_) all += piece;
  return all;
}

void Output::clear() {
  pieces_.clear();
  owned_.clear();
}

std::string_view Actions::retain(std::string bytes) {
  return retained_.emplace_back(std::move(bytes));
}

void Actions::clear() {
  connect_server = false;
  register_cancel_key.reset();
  deliver_cancel.reset();
  send_cancel = false;
  to_client.clear();
  to_server.clear();
  finish_server = false;
  close_server = false;
  close_client = false;
  retained_.clear();
}

}  // namespace helios::session
