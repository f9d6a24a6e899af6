// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a Link tells whoever has it: a session, or a test. Called from within Link::step(), and from Link::expect() where
// the server is known to skip what is forwarded. Each may close the link.
//
// Thread rule: the link's.

#include "backend/owed_answers.hpp"
#include "pgwire/cancel_request.hpp"
#include "pgwire/error_response.hpp"
#include "pgwire/message_types.hpp"

#include <cstdint>
#include <string_view>

namespace helios::backend {

// The message that an answer belongs to.
struct Answer {
  Tag tag = 0;              // 0: none that the user knows of
  std::uint64_t bytes = 0;  // of the answer so far, framing included
};

class LinkUser {
 public:
  // ---- While it logs in
  virtual void on_cancel_key(pgwire::CancelKey key) = 0;
  virtual void on_logged_in() = 0;
  // The server does not let it in: this is its reason, which the client gets.
  virtual void on_login_rejected(const pgwire::ErrorFieldsView& fields) = 0;
  // The proxy cannot log in by itself: `reason`, in one line. The user closes the link.
  virtual void on_login_impossible(std::string_view reason) = 0;

  // ---- Answers. Their bytes have been passed on to the client, or are next.
  // CommandComplete, with its tag; EmptyQueryResponse and FunctionCallResponse, with an empty one.
  virtual void on_completion(Answer answer, std::string_view command_tag) = 0;
  // PortalSuspended.
  virtual void on_suspension(Answer answer) = 0;
  // ErrorResponse. `is_own`: a message of the link's own has failed; `answer` is the next one of the user's.
  // True = the user has said something else to the client instead.
  virtual bool on_error(Answer answer, bool is_own, const pgwire::ErrorFieldsView& fields) = 0;
  // The next row of a bounded answer (Expect::is_bounded): a DataRow, or in COPY a CopyData, of so many bytes, framing
  // included; nothing of it was passed on. False = it does not pass, and neither does the rest. The user has the server
  // cancel the statement, and calls Link::note_cancelled(). on_error() follows, whatever the server says then: the client
  // has had no end of the answer yet.
  virtual bool may_pass_row(Tag tag, std::uint64_t bytes) = 0;
  // A NoticeResponse amid a bounded answer, or a long ErrorResponse as its end, likewise: functions can say in them whatever a
  // row could.
  virtual bool may_pass_notice(Tag tag, std::uint64_t bytes) = 0;
  // Instead of that on_error(): the server was faster, and what the statement did is committed. The user tells the client
  // that its answer was cut; ReadyForQuery is next.
  virtual void on_cut_completion(Answer answer, std::string_view command_tag) = 0;
  // ReadyForQuery of a piece (Expect::is_piece). True = it is the client's, and the message ends with it. False = the client
  // does not get it: the user sends another piece under the same tag, now or later. `has_failed` as in on_status().
  virtual bool is_last_piece(Tag tag, pgwire::TransactionStatus status, bool has_failed) = 0;
  // The server asks for COPY data, or begins a stream that goes both ways. `is_reading`: their end has not been forwarded yet.
  virtual void on_copy_in(bool is_reading) = 0;
  // See OwedAnswers::User.
  virtual void on_ended(Tag tag, char answer) = 0;

  // ---- ReadyForQuery, in two steps: before and after what it ends is ended. `has_failed`: there was an error since
  // the last one.
  virtual void on_status(pgwire::TransactionStatus status, bool has_failed) = 0;
  // The message is the user's to pass on. `is_view`: its bytes live as long as the event's input.
  virtual void on_ready(std::string_view message, bool is_view) = 0;

  // ---- Else
  // ParameterStatus, but for what decides how the server reads a text.
  virtual void on_parameter(std::string_view name, std::string_view value) = 0;
  // The client is to send nothing but a Sync next: until then the server would skip it.
  virtual void on_skip_to_sync() = 0;
  // Behind Link::break_copy(): the server did read data. Its error is not passed on.
  virtual void on_copy_broken() = 0;
  // The server said something that is no message, or that cannot be an answer to what it was sent: nobody knows any more
  // what belongs to what. The user closes the link. `what`: to be read behind "the server ".
  virtual void on_malformed(std::string_view what) = 0;

 protected:
  ~LinkUser() = default;
};

}  // namespace helios::backend
