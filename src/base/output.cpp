// SPDX-License-Identifier: Apache-2.0
#include "base/output.hpp"

#include <utility>

namespace helios::base {

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

std::string_view Output::retain(std::string bytes) {
  return retained_.emplace_back(std::move(bytes));
}

std::size_t Output::bytes() const {
  std::size_t bytes = 0;
  for (const std::string_view piece : pieces_) bytes += piece.size();
  return bytes;
}

std::string Output::flatten() const {
  std::string all;
  for (const std::string_view piece : pieces_) all += piece;
  return all;
}

void Output::clear() {
  pieces_.clear();
  // A deque that is empty takes its time to find out.
  if (!owned_.empty()) owned_.clear();
  if (!retained_.empty()) retained_.clear();
}

}  // namespace helios::base
