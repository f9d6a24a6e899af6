// SPDX-License-Identifier: Apache-2.0
#include "backend/link.hpp"
#include "backend/server_faults.hpp"
#include "pgwire/extended.hpp"
#include "pgwire/query.hpp"
#include "pgwire/sqlstate.hpp"

#include <utility>

// COPY data from the client, and who gets which ReadyForQuery then.

namespace helios::backend {

namespace fe = pgwire::frontend;

bool Link::must_wait(char type) const {
  if (probe_ != Probe::none || is_breaking_ || is_cancelling_ || is_bounded()) return true;
  if (is_fenced_) return type != fe::kTerminate;
  const Owed* copy = owed_.copying();
  if (copy == nullptr) return false;
  if (!has_copy_begun_) return true;
  switch (type) {
    case fe::kFlush:
    case fe::kTerminate: return false;
    // Behind the end of the data, as below. Behind the end of the COPY, the server is not to get them.
    case fe::kCopyData:
    case fe::kCopyDone:
    case fe::kCopyFail: return is_exact_ && !is_reading_copy_;
    // Behind the end of the data: another COPY of the same Query might read it.
    case fe::kSync: return !is_reading_copy_ && copy->expect.request == fe::kQuery;
    // While data is read it is an error of the client.
    default: return !is_reading_copy_ && (copy->expect.request == fe::kQuery || owed_.has_maybe());
  }
}

// For the data that the server reads, or for that which it will ask for.
void Link::note_copy_end() {
  was_asked_ = false;  // a Flush in front of the end was swallowed with the data
  if (is_reading_copy_) {
    is_reading_copy_ = false;
  } else {
    owed_.note_copy_end();
  }
}

// A CopyInResponse that nobody asked for is the client's business.
void Link::note_copy_in() {
  is_reading_copy_ = !owed_.empty() && !owed_.on_copy_in();
  // A Sync that was sent already is part of the data: what is answered behind them may be kept until a Flush.
  if (owed_.has_maybe()) is_batch_open_ = true;
  has_copy_begun_ = !owed_.empty();
  user_->on_copy_in(is_reading_copy_);
}

void Link::break_copy() {
  send(pgwire::serialize_copy_fail(own_name_ + ": the client has sent something else than data"));
  is_reading_copy_ = false;
  is_breaking_ = true;
}

// The COPY has not failed by itself.
bool Link::is_answer_to_break(const pgwire::ErrorFieldsView& fields) const {
  return fields.sqlstate == pgwire::sqlstate::kQueryCanceled &&
         fields.message.find(own_name_) != std::string_view::npos;
}

void Link::begin_probe() {
  probe_ = Probe::asked;
  is_ready_owed_ = owed_.copying() == nullptr;
  send_own(fe::kSync, pgwire::serialize_sync());
  send_own(fe::kQuery, pgwire::serialize_query(""));
}

// A ReadyForQuery arrived. The one before it was the client's.
void Link::note_probed_ready() {
  if (probe_ == Probe::answered) return end_probe();
  const std::string before = std::exchange(delayed_ready_, std::string(reader_.bytes()));
  if (before.empty()) return;
  // There are more of them than there were Syncs.
  if (owed_.empty() || owed_.front()->expect.is_ours) return user_->on_malformed(kLostCopy);
  is_ready_owed_ = false;
  be_ready(before, false);
}

void Link::end_probe() {
  probe_ = Probe::none;
  delayed_ready_.clear();
  owed_.end_all();
  // The server is ready, but the client has not sent the Sync that it is to be ready for.
  if (std::exchange(is_ready_owed_, false)) user_->on_skip_to_sync();
}

}  // namespace helios::backend
