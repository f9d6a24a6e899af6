// SPDX-License-Identifier: Apache-2.0
#include "backend/owed_answers.hpp"

#include "pgwire/message_types.hpp"
#include "pgwire/type_set.hpp"

namespace helios::backend {
namespace {

namespace fe = pgwire::frontend;
namespace be = pgwire::backend;
using pgwire::TypeSet;

bool ends_with_ready(char request) {
  return request == fe::kQuery || request == fe::kFunctionCall || request == fe::kSync;
}

bool runs_statement(char request) {
  return request == fe::kExecute || request == fe::kQuery || request == fe::kFunctionCall;
}

// For the first time, or anew.
bool reads_text(char request) { return request == fe::kParse || request == fe::kDescribe; }

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

// But for ErrorResponse.
const TypeSet& answers_to(char request) {
  static constexpr TypeSet kNothing("");
  static constexpr TypeSet kParse("1");
  static constexpr TypeSet kBind("2");
  static constexpr TypeSet kClose("3");
  static constexpr TypeSet kDescribe("tTn");
  static constexpr TypeSet kExecute("DCIsTGHWdc");  // T: some servers describe the rows once more
  static constexpr TypeSet kQuery("DTCIGHWdcZ");
  static constexpr TypeSet kFunctionCall("VZ");
  static constexpr TypeSet kSync("Z");
  switch (request) {
    case fe::kParse: return kParse;
    case fe::kBind: return kBind;
    case fe::kClose: return kClose;
    case fe::kDescribe: return kDescribe;
    case fe::kExecute: return kExecute;
    case fe::kQuery: return kQuery;
    case fe::kFunctionCall: return kFunctionCall;
    case fe::kSync: return kSync;
    default: return kNothing;
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
  return backend_type == be::kErrorResponse || answers_to(request).contains(backend_type);
}

void OwedAnswers::push(Tag tag, const Expect& expect) {
  if (!expect.is_ours) {
    has_read_ |= reads_text(expect.request);
    has_run_ |= expect.request == fe::kBind || expect.request == fe::kExecute;
  }
  if (ends_with_ready(expect.request) && !expect.is_maybe) changes_are_known();
  if (skipping_) {
    if (expect.request != fe::kSync) return user_.on_ended(tag, 0);
    skipping_ = false;
  }
  owed_.emplace(tag, expect);
  copies_ += expect.may_copy_in ? 1 : 0;
  maybes_ += expect.is_maybe ? 1 : 0;
}

void OwedAnswers::note_copy_end() {
  if (!empty()) ++owed_.back().copy_ends_sent;
}

// Null: none is such a one.
template <typename Test>
const Owed* OwedAnswers::find_first(Test test) const {
  for (auto at = owed_.first(); at != owed_.end(); ++at) {
    if (test(owed_[at].expect)) return &owed_[at];
  }
  return nullptr;
}

bool OwedAnswers::awaits_ready() const {
  return find_first([](const Expect& expect) { return ends_with_ready(expect.request); }) !=
         nullptr;
}

bool OwedAnswers::may_run() const {
  return find_first([](const Expect& expect) {
           return !expect.is_ours && runs_statement(expect.request);
         }) != nullptr;
}

Tag OwedAnswers::front_of_client() const {
  const Owed* owed = find_first([](const Expect& expect) { return !expect.is_ours; });
  return owed == nullptr ? 0 : owed->tag;
}

void OwedAnswers::pop(char answer) {
  const Owed& owed = owed_.front();
  user_.on_ended(owed.tag, answer);
  copies_ -= owed.expect.may_copy_in ? 1 : 0;
  maybes_ -= owed.expect.is_maybe ? 1 : 0;
  owed_.pop_front();
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
  Owed& copy = owed_.front();
  copies_ += copy.expect.may_copy_in ? 0 : 1;
  copy.expect.may_copy_in = true;
  bool is_ended = take_copy_end(copy);
  for (auto at = owed_.first() + 1; at != owed_.end() && !is_ended; ++at) {
    Owed& owed = owed_[at];
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
  return find_first([](const Expect& expect) { return expect.may_copy_in; });
}

void OwedAnswers::on_copy_done() {
  if (maybes_ == 0) return;
  std::uint32_t carried = 0;
  auto kept = owed_.first();
  for (auto at = owed_.first(); at != owed_.end(); ++at) {
    const Owed& owed = owed_[at];
    if (owed.expect.is_maybe) {
      user_.on_ended(owed.tag, 0);
      carried += owed.copy_ends_sent;
    } else {
      owed_[kept++] = owed;
    }
  }
  owed_.truncate(kept);
  if (!empty()) owed_.front().copy_ends_sent += carried;
  maybes_ = 0;
}

void OwedAnswers::end_all() {
  while (!empty()) pop(0);
}

}  // namespace helios::backend
