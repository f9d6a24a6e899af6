// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the server still owes: one item per forwarded message that is answered, in stream order.
// Knows which answer ends which item, and that an error in the extended protocol skips everything up
// to the next Sync (PostgreSQL manual, "Extended Query").

#include "session/make_room.hpp"
#include "session/names.hpp"
#include "session/refusal.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace helios::session {

struct ReplyItem {
  ReplyItem() = default;
  explicit ReplyItem(char request_type, bool may_touch_session = false)
      : request(request_type), touches_session(may_touch_session) {}
  // What must fail was sent in the place of such a message, see refusal.hpp.
  ReplyItem(char request_type, const Refusal& refused)
      : request(request_type), refusal(std::make_unique<Refusal>(refused)) {}

  char request = 0;              // type byte of the frontend message
  bool touches_session = false;  // may change settings or the transaction
  bool is_ours = false;  // sent on the client's behalf: what it does not expect, it does not get
  // An Execute of ours that asks for one of the settings that decide how texts are read.
  bool asks_reading_rule = false;
  bool ends_unnamed = false;  // Parse: the unnamed statement is gone, even if this fails
  bool may_copy_in = false;   // the server may answer it by asking for COPY data
  // Sync: it was sent while the server read COPY data, which swallows it, unless it had failed before.
  bool is_maybe = false;
  bool is_malformed = false;         // it should be answered with an error
  std::uint32_t copy_ends_sent = 0;  // CopyDone and CopyFail forwarded behind it, not yet used
  std::int32_t max_rows = 0;         // Execute
  std::int64_t forwarded_ns = 0;   // when it was handed to the server; noted where a run follows it
  NameChanges names;               // to be settled when the item ends
  std::size_t run_bytes = 0;       // what `run` held when the item was pushed
  std::unique_ptr<QueryRun> run;   // Query, FunctionCall; null when nobody follows its statements
  std::shared_ptr<Portal> portal;  // Bind, Execute: of what; null: not known
  std::unique_ptr<Refusal> refusal;  // what fails was sent instead: its error becomes this one

  // The run that answers to this item belong to: its own, or its portal's.
  [[nodiscard]] QueryRun* present_run() const;
};

// An item that the server is through with.
struct EndedItem {
  ReplyItem item;
  char answer = 0;  // what ended it; 0: an error, its own or an earlier one that had it skipped
};

class ReplyQueue {
 public:
  // The next push() throws nothing.
  void make_room_for_push() {
    make_room(items_);
    make_room(ended_);
  }
  // A message was forwarded. Messages that have no answer of their own (Flush, CopyData, ...) are
  // not pushed. Inside a skipped part of the stream the item ends at once.
  void push(ReplyItem item);
  // An error was answered and no Sync has been forwarded since: the server skips what is forwarded.
  [[nodiscard]] bool is_skipping() const { return skipping_; }

  // Something was forwarded since the last Sync or Query that may have changed settings. The server reports
  // changes only in front of ReadyForQuery, so until then nobody knows the reading rules in force.
  [[nodiscard]] bool hides_changes() const { return hides_changes_; }
  // The server was asked for the reading rules behind all that, and has answered.
  void changes_are_known() { hides_changes_ = false; }

  [[nodiscard]] bool empty() const { return first_ == items_.size(); }
  [[nodiscard]] std::size_t size() const { return items_.size() - first_; }
  // About what the items and their runs take.
  [[nodiscard]] std::size_t held_bytes() const {
    return items_.capacity() * sizeof(ReplyItem) + run_bytes_;
  }
  // The item that the next answer belongs to; nullptr when nothing is owed.
  [[nodiscard]] ReplyItem* front() { return empty() ? nullptr : &items_[first_]; }
  [[nodiscard]] ReplyItem* back() { return empty() ? nullptr : &items_.back(); }
  // The item of the client's that an error of the front item belongs to.
  [[nodiscard]] ReplyItem* front_of_client();

  // Some item may change settings or the transaction, or may undo, by an error before its end, what another one
  // in front of it has changed.
  [[nodiscard]] bool touches_session() const;

  // An answer of this type arrived for the front item: pops it if that ends it. ReadyForQuery ends
  // Query, FunctionCall and Sync, and whatever is left before them.
  void on_answer(char backend_type);

  // ErrorResponse: in the extended protocol, drops everything up to Sync.
  void on_error();

  // CopyInResponse for the front item. Syncs that were forwarded before the end of the data may have no
  // answer (ReplyItem::is_maybe). Returns whether that end was forwarded already.
  bool on_copy_in();
  // The item, of which there is at most one, that the server may answer, or has answered, by asking for
  // COPY data; null: there is none.
  [[nodiscard]] const ReplyItem* copying() const;
  // Nobody knows whether some Sync will be answered.
  [[nodiscard]] bool has_maybe() const { return maybes_ > 0; }
  // The data ended well: Syncs inside of it were swallowed.
  void on_copy_done();
  // Drops what is left up to the last item, which has been answered, and that one.
  void end_all_ours();

  // Items with something to settle that ended since the last call, in stream order.
  template <typename Visit>
  void take_ended(Visit visit) {
    for (EndedItem& ended : ended_) visit(ended);
    ended_.clear();
  }

  // Marks the portals of what is owed.
  void mark_portals_under_way();
  // Moves all runs, those of portals too, to `out`, oldest first, and empties the queue: the connection is
  // gone. What an exception leaves is there for the next call.
  void take_all(std::vector<std::unique_ptr<QueryRun>>& out);

 private:
  void pop(char answer);
  void end(ReplyItem& item, char answer);

  std::vector<ReplyItem> items_;
  std::size_t first_ = 0;  // items before it are done; compacted when the queue runs empty or long
  std::size_t run_bytes_ = 0;  // of all items that are not done
  bool skipping_ = false;      // an error was answered and no Sync has been forwarded since
  bool hides_changes_ = false;
  bool unit_touches_session_ = false;  // something since the last Sync or Query
  std::size_t copies_ = 0;             // items that may copy in
  std::size_t maybes_ = 0;
  std::vector<EndedItem> ended_;
};

}  // namespace helios::session
