// SPDX-License-Identifier: Apache-2.0
#include "base/byte_writer.hpp"
#include "base/text.hpp"
#include "pgwire/extended.hpp"
#include "pgwire/query.hpp"
#include "pgwire/sqlstate.hpp"
#include "session/session_impl.hpp"

#include <utility>

// COPY data from the client. A server that reads data swallows Sync; once it has failed, it answers it. So
// a Sync in front of, or between, data is answered or not, and only the server knows.
//
//  - Behind a message that the server may answer by asking for data, nothing is sent before it has.
//  - While it reads data, only what belongs to a COPY is sent. A Sync among it is a "maybe".
//  - CommandComplete: the maybes were swallowed. ErrorResponse: nobody knows. Then a Sync and an empty
//    Query of ours are sent, and nothing of the client's until they are answered. Each ReadyForQuery is
//    held back until the next one: the last in front of EmptyQueryResponse, and the one behind it, are
//    ours. Between them there are only Syncs, which are all alike.

namespace helios::session {

namespace fe = pgwire::frontend;

// May a message of this type not be sent yet?
bool Session::Impl::must_wait(char type) const {
  if (probe_ != Probe::none) return true;
  const backend::Owed* copy = owed_.copying();
  if (copy == nullptr) return false;
  if (!copy_started_) return true;
  switch (type) {
    case fe::kCopyData:
    case fe::kCopyDone:
    case fe::kCopyFail:
    case fe::kFlush:
    case fe::kTerminate: return false;
    // Behind the end of the data: another COPY of the same Query might read it.
    case fe::kSync: return !in_copy_in_ && copy->expect.request == fe::kQuery;
    // While data is read it is an error of the client.
    default: return !in_copy_in_ && (copy->expect.request == fe::kQuery || owed_.has_maybe());
  }
}

// `input`: of the client, at the type byte of a message or inside of its header.
bool Session::Impl::next_must_wait(std::string_view input) const {
  if (client_reader_.inside_message()) return false;
  if (!client_reader_.at_boundary()) return must_wait(client_reader_.type());
  return !input.empty() && must_wait(input.front());
}

// The answer may come with the next Flush or Sync only, and that has to wait.
bool Session::Impl::waits_for_copy() const {
  return !client_input_.empty() && !in_copy_in_ && probe_ == Probe::none &&
         owed_.copying() != nullptr;
}

// CopyDone or CopyFail: for the data that the server reads, or for that which it will ask for.
void Session::Impl::note_copy_end() {
  flush_sent_ = false;  // one in front of the end was swallowed with the data
  if (in_copy_in_) {
    in_copy_in_ = false;
  } else {
    owed_.note_copy_end();
  }
}

// One that nobody asked for is the client's business.
void Session::Impl::note_copy_in() {
  in_copy_in_ = !owed_.empty() && !owed_.on_copy_in();
  copy_started_ = !owed_.empty();
  if (in_copy_in_ && gate_.waits_for_answers()) {
    gate_.cancel();
    break_copy(fe::kQuery);
  }
}

bool Session::Impl::belongs_to_copy(char type) {
  switch (type) {
    case fe::kCopyData:
    case fe::kCopyDone:
    case fe::kCopyFail:
    case fe::kFlush:
    case fe::kSync: return true;
    default: return false;
  }
}

// The client has sent such a message while the server reads data: the server is to say so, and ends the connection
// then. It looks at the type alone. Should the COPY have failed already, it finds a message that it cannot read, and
// is ready again with our Sync.
void Session::Impl::break_copy(char type) {
  std::string broken(1, type);
  base::append_i32(broken, sizeof(std::int32_t));
  actions_->to_server.append(broken + pgwire::serialize_sync());
  in_copy_in_ = false;
  fail_after_answers(
      pgwire::sqlstate::kProtocolViolation,
      "unexpected message type 0x" + base::to_hex({&type, 1}) + " during COPY from stdin");
  farewell_->is_servers = true;
}

void Session::Impl::begin_probe() {
  probe_ = Probe::asked;
  is_ready_owed_ = owed_.copying() == nullptr;
  ++names_.unit;
  is_batch_open_ = false;
  actions_->to_server.append(pgwire::serialize_sync());
  actions_->to_server.append(pgwire::serialize_query(""));
  for (const char type : {fe::kSync, fe::kQuery}) {
    InFlight item(type);
    item.expect.is_ours = true;
    push(std::move(item));
  }
}

// A ReadyForQuery arrived. The one before it was the client's.
void Session::Impl::note_probed_ready() {
  if (probe_ == Probe::answered) return end_probe();
  const std::string before = std::exchange(delayed_ready_, std::string(server_reader_.bytes()));
  if (before.empty()) return;
  is_ready_owed_ = false;
  handle_ready(before);
}

void Session::Impl::end_probe() {
  probe_ = Probe::none;
  delayed_ready_.clear();
  owed_.end_all();
  // The server is ready, but the client has not sent the Sync that it is to be ready for.
  is_skipping_ = std::exchange(is_ready_owed_, false);
}

}  // namespace helios::session
