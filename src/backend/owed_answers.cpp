// SPDX-License-Identifier: Apache-2.0
#include "backend/owed_answers.hpp"

#include "pgwire/message_types.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace helios::backend {
namespace {

namespace fe = pgwire::frontend;
namespace be = pgwire::backend;

bool ends_with_ready(char request) {
  return request == fe::kQuery || request == fe::kFunctionCall || request == fe::kSync;
}

bool runs_statement(char request) {
  return request == fe::kExecute || request == fe::kQuery || request == fe::kFunctionCall;
}

// Does an answer of this type end an entry of the extended protocol?
bool ends_extended(char request, char answer) {
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

// Uses up one CopyDone or CopyFail that was forwarded behind the entry.
bool take_copy_end(Owed& owed) {
  if (owed.copy_ends_sent == 0) return false;
  --owed.copy_ends_sent;
  return true;
}

}  // namespace

bool may_answer(char request, char backend_type) {
  std::string_view types;
  switch (request) {
    case fe::kParse: types = "1"; break;
    case fe::kBind: types = "2"; break;
    case fe::kClose: types = "3"; break;
    case fe::kDescribe: types = "tTn"; break;
    case fe::kExecute: types = "DCIsTGHWdc"; break;  // T: some servers describe the rows once more
    case fe::kQuery: types = "DTCIGHWdcZ"; break;
    case fe::kFunctionCall: types = "VZ"; break;
    case fe::kSync: types = "Z"; break;
    default: break;
  }
  return backend_type == be::kErrorResponse || types.contains(backend_type);
}

void OwedAnswers::push(Tag tag, Expect expect) {
  // Planning, too, runs functions.
  const bool may_run = expect.request == fe::kBind || expect.request == fe::kExecute;
  if (may_run && !expect.is_ours) hides_changes_ = true;
  if (ends_with_ready(expect.request) && !expect.is_maybe) hides_changes_ = false;
  if (skipping_) {
    if (expect.request != fe::kSync) return user_.on_ended(tag, 0);
    skipping_ = false;
  }
  owed_.push_back({tag, expect, 0});
  copies_ += expect.may_copy_in ? 1 : 0;
  maybes_ += expect.is_maybe ? 1 : 0;
}

void OwedAnswers::note_copy_end() {
  if (!empty()) ++owed_.back().copy_ends_sent;
}

bool OwedAnswers::awaits_ready() const {
  return std::any_of(std::next(owed_.begin(), static_cast<std::ptrdiff_t>(first_)), owed_.end(),
                     [](const Owed& owed) { return ends_with_ready(owed.expect.request); });
}

bool OwedAnswers::may_run() const {
  return std::any_of(
      std::next(owed_.begin(), static_cast<std::ptrdiff_t>(first_)), owed_.end(),
      [](const Owed& owed) { return !owed.expect.is_ours && runs_statement(owed.expect.request); });
}

Tag OwedAnswers::front_of_client() const {
  for (std::size_t i = first_; i < owed_.size(); ++i) {
    if (!owed_[i].expect.is_ours) return owed_[i].tag;
  }
  return 0;
}

void OwedAnswers::pop(char answer) {
  const Owed& owed = owed_[first_];
  user_.on_ended(owed.tag, answer);
  copies_ -= owed.expect.may_copy_in ? 1 : 0;
  maybes_ -= owed.expect.is_maybe ? 1 : 0;
  ++ended_;
  ++first_;
  compact();
}

void OwedAnswers::compact() {
  constexpr std::size_t kCompactAt = 1024;
  if (first_ == owed_.size()) {
    if (owed_.capacity() > kCompactAt) {
      std::vector<Owed>().swap(owed_);
    } else {
      owed_.clear();
    }
    first_ = 0;
  } else if (first_ >= kCompactAt && first_ * 2 >= owed_.size()) {
    // Into memory of its own size: whoever waits for room must see it come back.
    owed_ = std::vector<Owed>(std::next(owed_.begin(), static_cast<std::ptrdiff_t>(first_)),
                              owed_.end());
    first_ = 0;
  }
}

void OwedAnswers::on_answer(char backend_type) {
  if (backend_type != be::kReadyForQuery) {
    if (!empty() && ends_extended(front()->expect.request, backend_type)) pop(backend_type);
    return;
  }
  while (!empty()) {
    const bool is_end = ends_with_ready(front()->expect.request);
    pop(is_end ? backend_type : char{0});
    if (is_end) return;
  }
}

void OwedAnswers::on_error() {
  if (empty() || ends_with_ready(front()->expect.request)) return;
  while (!empty() && front()->expect.request != fe::kSync) pop(0);
  skipping_ = empty();
}

bool OwedAnswers::on_copy_in() {
  Owed& copy = owed_[first_];
  copies_ += copy.expect.may_copy_in ? 0 : 1;
  copy.expect.may_copy_in = true;
  bool is_ended = take_copy_end(copy);
  for (std::size_t i = first_ + 1; i < owed_.size() && !is_ended; ++i) {
    Owed& owed = owed_[i];
    if (owed.expect.request == fe::kSync && !owed.expect.is_maybe) {
      owed.expect.is_maybe = true;
      ++maybes_;
    }
    is_ended = take_copy_end(owed);
  }
  return is_ended;
}

const Owed* OwedAnswers::copying() const {
  if (copies_ == 0) return nullptr;
  for (std::size_t i = first_; i < owed_.size(); ++i) {
    if (owed_[i].expect.may_copy_in) return &owed_[i];
  }
  return nullptr;
}

void OwedAnswers::on_copy_done() {
  if (maybes_ == 0) return;
  std::size_t carried = 0;
  const auto is_swallowed = [&](const Owed& owed) {
    if (!owed.expect.is_maybe) return false;
    user_.on_ended(owed.tag, 0);
    carried += owed.copy_ends_sent;
    return true;
  };
  const auto begin = std::next(owed_.begin(), static_cast<std::ptrdiff_t>(first_));
  owed_.erase(std::remove_if(begin, owed_.end(), is_swallowed), owed_.end());
  if (!empty()) owed_[first_].copy_ends_sent += static_cast<std::uint32_t>(carried);
  maybes_ = 0;
}

void OwedAnswers::end_all() {
  while (!empty()) pop(0);
}

}  // namespace helios::backend
