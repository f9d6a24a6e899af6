// SPDX-License-Identifier: Apache-2.0
#include "backend/link.hpp"
#include "backend/server_faults.hpp"
#include "pgwire/command_complete.hpp"
#include "pgwire/extended.hpp"
#include "pgwire/query.hpp"

#include <utility>

// Bounded answers: what becomes of one that is cut, and the pieces of a Query.

namespace helios::backend {

namespace fe = pgwire::frontend;
namespace be = pgwire::backend;

namespace {

// The server cannot parse it. It shows up in the server's log.
constexpr std::string_view kFailingText = "answer cut by heliosproxy";

// Of an error, which tells what was wrong also where nothing is left. What a function puts into a longer one is an answer.
constexpr std::uint32_t kMostFreeErrorBytes = 4096;

bool is_row(char type) { return type == be::kDataRow || type == be::kCopyData; }

}  // namespace

// The message being read is not the client's.
void Link::drop() {
  reader_.stream();
  is_dropping_ = true;
}

// Of the front entry, which is bounded. As choose().
std::string_view Link::choose_bounded(char type, std::uint32_t length) {
  const Owed& owed = *owed_.front();
  if (cut_ != Cut::none && type != be::kErrorResponse) return choose_cut(type, length);
  if (owed.expect.is_silent && type == be::kCommandComplete) {
    drop();
    return {};
  }
  if (is_row(type) && !user_->may_pass_row(owed.tag, reader_.total_bytes())) {
    cut_here();
    drop();
    return {};
  }
  const bool is_long_error = type == be::kErrorResponse && length > kMostFreeErrorBytes;
  if (is_long_error && cut_ == Cut::none &&
      !user_->may_pass_notice(owed.tag, reader_.total_bytes()))
    cut_here();  // the user says something else than the error
  answer_bytes_ += reader_.total_bytes();
  return choose_answer(type, length);
}

// The rest of the answer is not the client's. The user has asked for the statement's end.
void Link::cut_here() {
  cut_ = Cut::dropping;
  is_cancelling_ = true;
}

// A notice counts for the statement at whose answer it comes. False = the client does not get it.
bool Link::may_pass_notice() {
  const Owed* owed = owed_.front();
  if (owed == nullptr || owed->expect.is_ours) return true;
  if (owed->expect.is_bounded && !owed->expect.is_silent) {
    if (cut_ != Cut::none) return false;
    if (!user_->may_pass_notice(owed->tag, reader_.total_bytes())) {
      cut_here();
      return false;
    }
  }
  answer_bytes_ += reader_.total_bytes();
  return true;
}

// What follows a row that did not pass. Until an error ends it, the client gets nothing. A statement of a bounded Query
// reads no data.
std::string_view Link::choose_cut(char type, std::uint32_t length) {
  const bool is_ready = type == be::kReadyForQuery;
  const bool is_copy_in = type == be::kCopyInResponse || type == be::kCopyBothResponse;
  if (is_ready ? cut_ != Cut::completed : cut_ != Cut::dropping || is_copy_in) return kUnfit;
  if (is_ready || type == be::kCommandComplete) return choose_answer(type, length);
  if (type == be::kPortalSuspended) cut_ = Cut::to_fail;
  drop();
  return {};
}

// The client believes that the statement has failed. True = the server was made to agree: what was sent must fail.
bool Link::fail_cut() {
  if (cut_ != Cut::to_fail || is_cancelling_) return false;
  cut_ = Cut::failing;
  send(is_bounded_query() ? pgwire::serialize_query(kFailingText)
                          : pgwire::serialize_parse(own_name_, kFailingText));
  return true;
}

bool Link::is_bounded_query() const {
  const Owed* owed = owed_.front();
  return owed != nullptr && owed->expect.is_bounded && owed->expect.request == fe::kQuery;
}

// ReadyForQuery of a Query that is bounded. False = the client does not get it.
bool Link::note_bounded_ready() {
  const auto status =
      pgwire::parse_ready_for_query(reader_.bytes().substr(pgwire::FrameReader::kHeaderBytes));
  if (!status) return true;  // be_ready() says so
  if (cut_ == Cut::completed && *status != pgwire::TransactionStatus::idle) {
    cut_ = Cut::to_fail;
    return false;
  }
  const bool was_cut = std::exchange(cut_, Cut::none) == Cut::completed;
  if (was_cut) user_->on_cut_completion(present(), std::exchange(cut_tag_, {}));
  const Owed& owed = *owed_.front();
  const bool has_failed = had_error_ || was_cut;
  if (!owed.expect.is_piece || user_->is_last_piece(owed.tag, *status, has_failed)) return true;
  transaction_ = *status;
  answer_bytes_ = 0;
  owed_.drop_piece();
  return false;
}

}  // namespace helios::backend
