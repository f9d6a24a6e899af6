// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the server still owes on one link: an entry per forwarded message that is answered, in the order of
// the stream. Knows which answer ends which entry, that an error in the extended protocol skips everything
// up to the next Sync, and what COPY data does to a Sync (PostgreSQL manual, "Message Flow"). Knows nothing
// of what a message means: whoever sent it gave it a tag, and is told by that.
//
// Thread rule: the link's. Errors: push() and on_copy_in() may throw std::bad_alloc, see
// make_room_for_push(); everything else only what User::on_ended() throws, and then the entry stays.

#include "base/ring.hpp"

#include <cstddef>
#include <cstdint>

namespace helios::backend {

// Names one forwarded message for whoever sent it. 0: nobody wants to hear of it.
using Tag = std::uint64_t;

// What is to come of a message, as far as its sender can tell.
struct Expect {
  char request = 0;  // type byte of the frontend message
  // Sent on the client's behalf: what it does not expect, it does not get.
  bool is_ours : 1 = false;
  bool may_copy_in : 1 = false;  // the server may answer it by asking for COPY data
  // Sync: it is sent while the server reads COPY data, which swallows it, unless it had failed before.
  bool is_maybe : 1 = false;
  bool is_here : 1 = false;    // nothing was sent, the proxy answers it itself: Link::answer_here()
  bool is_fence : 1 = false;   // sent only to tell apart what failed: Link::fence()
  bool asks_rule : 1 = false;  // an Execute of ours whose answer tells how the server reads a text
  // Query or Execute: LinkUser::may_pass_row() is asked for each row, and nothing is sent behind it before it is answered.
  bool is_bounded : 1 = false;
  // Query: one of several that stand for one of the client's, under the same tag: LinkUser::is_last_piece(). Bounded.
  bool is_piece : 1 = false;
  bool is_silent : 1 =
      false;  // a piece that the client did not send: it does not get its CommandComplete
};

struct Owed {
  Tag tag = 0;
  Expect expect;
  std::uint32_t copy_ends_sent = 0;  // CopyDone and CopyFail forwarded behind it, not yet used
};

// Can a message of this type be an answer to `request`? ErrorResponse always is, and no request is answered by what
// servers send unasked.
[[nodiscard]] bool may_answer(char request, char backend_type);

class OwedAnswers {
 public:
  class User {
   public:
    // The server is through with this message. `answer`: the type byte of what ended it; 0: an error, its own
    // or an earlier one that had it skipped; or, of a Sync, that COPY data swallowed it. Calls nothing of
    // the OwedAnswers.
    virtual void on_ended(Tag tag, char answer) = 0;

   protected:
    ~User() = default;
  };

  // Lifetime: `user` outlives this.
  explicit OwedAnswers(User& user) : user_(user) {}

  // The next push() allocates nothing.
  void make_room_for_push() { owed_.make_room(); }
  // A message was forwarded. Messages that have no answer of their own (Flush, CopyData, ...) are not
  // pushed. Inside a skipped part of the stream it ends at once.
  void push(Tag tag, const Expect& expect);
  // CopyDone or CopyFail was forwarded, for data that the server has not asked for yet.
  void note_copy_end();
  // An error was answered and no Sync has been forwarded since: the server skips what is forwarded.
  [[nodiscard]] bool is_skipping() const { return skipping_; }

  // Something was forwarded since the last Sync or Query that may have changed settings. The server reports
  // changes only in front of ReadyForQuery, so until then nobody knows the reading rules in force. Not only what runs a
  // statement: planning calls functions, and so does reading a text, the input functions of its constants. `has_failed`: the
  // last ReadyForQuery said that the transaction has; then a text that is read has no effect.
  [[nodiscard]] bool hides_changes(bool has_failed = false) const {
    return has_run_ || (has_read_ && !has_failed);
  }
  // The server was asked for the reading rules behind all that, and has answered.
  void changes_are_known() { has_run_ = has_read_ = false; }

  [[nodiscard]] bool empty() const { return owed_.empty(); }
  [[nodiscard]] std::size_t size() const { return owed_.size(); }
  // Entries that have ended so far, for whatever reason.
  [[nodiscard]] std::uint64_t ended() const { return owed_.first(); }
  // Some entry ends with ReadyForQuery.
  [[nodiscard]] bool awaits_ready() const;
  // Some entry runs a statement of the client's.
  [[nodiscard]] bool may_run() const;
  // A bounded answer is to come. It is the last that is owed, since nothing is sent behind it.
  [[nodiscard]] bool is_bounded() const {
    return !empty() && owed_[owed_.end() - 1].expect.is_bounded;
  }
  // About what it takes.
  [[nodiscard]] std::size_t held_bytes() const { return owed_.held_bytes(); }
  // The entry that the next answer belongs to; null when nothing is owed.
  [[nodiscard]] const Owed* front() const { return empty() ? nullptr : &owed_.front(); }
  // The message of the client's that an error of the front entry belongs to; 0: there is none.
  [[nodiscard]] Tag front_of_client() const;

  // An answer of this type arrived for the front entry: ends it, if that type does. ReadyForQuery ends Query,
  // FunctionCall and Sync, and whatever is left before them.
  void on_answer(char backend_type);
  // ErrorResponse: in the extended protocol, ends everything up to Sync.
  void on_error();
  // ErrorResponse where nothing is owed: a Flush has failed. Requires: empty().
  void begin_skipping() { skipping_ = true; }
  // The front entry, which the proxy answers itself, has had its answer. Requires: it is one (Expect::is_here).
  void on_answer_here(char answer) { pop(answer); }

  // The front entry is a piece of a Query and has had its ReadyForQuery; another piece follows under its tag, so that
  // nobody is told. Requires: it is one (Expect::is_piece).
  void drop_piece() { owed_.pop_front(); }

  // CopyInResponse for the front entry. Syncs that were forwarded before the end of the data may have no
  // answer (Expect::is_maybe). Returns whether that end was forwarded already. Requires: not empty().
  bool on_copy_in();
  // The entry, of which there is at most one, that the server may answer, or has answered, by asking for
  // COPY data; null: there is none.
  [[nodiscard]] const Owed* copying() const;
  // Nobody knows whether some Sync will be answered.
  [[nodiscard]] bool has_maybe() const { return maybes_ > 0; }
  // The data ended well: Syncs inside of it were swallowed.
  void on_copy_done();
  // Ends everything: the server has answered the last entry, or the connection is gone.
  void end_all();

 private:
  template <typename Test>
  [[nodiscard]] const Owed* find_first(Test test) const;
  void pop(char answer);

  User& user_;
  base::Ring<Owed> owed_{0};
  bool skipping_ = false;   // an error was answered and no Sync has been forwarded since
  bool has_run_ = false;    // planned or run something, since the last Sync or Query
  bool has_read_ = false;   // read a text
  std::size_t copies_ = 0;  // entries that may copy in
  std::size_t maybes_ = 0;
};

}  // namespace helios::backend
