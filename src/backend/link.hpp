// SPDX-License-Identifier: Apache-2.0
#pragma once

// One connection to a server, as a state machine: what the server says comes in by on_bytes(), what it is sent goes out by
// send(), forward() and send_own(). The link knows the protocol: which message an answer belongs to, what COPY data does to
// a Sync, how the server reads a text, whether a transaction is open. It knows nothing of what a message means:
// that is its user's.
//
// Flow:
//  0 attach() says who has it.
//  1 begin_event() names the two outputs of the event: to the server, and to the client that has the link.
//  2 begin_login(), on_bytes(), on_eof() report what happened. step() is called until it returns false. It passes
//    everything that the server says to the client, but for the answers to the link's own messages, and tells the user
//    what it means.
//  3 Whoever forwards a message that is answered says so by expect(), with a tag of its own. on_ended() comes with that
//    tag once, when the server is through with the message.
//
// Before it is logged in, the link relays: it passes the server's messages, and notes what they say about the connection.
//
// COPY data. A server that reads data swallows Sync; once it has failed, it answers it. So a Sync in front of, or between,
// data is answered or not, and only the server knows.
//  - Behind a message that the server may answer by asking for data, nothing is sent before it has: must_wait().
//  - While it reads data, only what belongs to a COPY is sent. A Sync among it is a "maybe".
//  - CommandComplete: the maybes were swallowed. ErrorResponse: nobody knows. Then a Sync and an empty Query of the link's
//    own are sent, and nothing else until they are answered. Each ReadyForQuery is held back until the next one: the last
//    in front of EmptyQueryResponse, and the one behind it, are the link's. Between them there are only Syncs, which
//    are all alike.
//
// How the server reads a text: standard_conforming_strings and client_encoding. Since PostgreSQL 14 it reports a change of
// them only in front of ReadyForQuery. What was run in an open batch may have changed them unnoticed. So where a text
// depends on them, make_rules_certain() asks the server, behind everything that was sent. It asks once: where the server
// answers with an error, it skips what comes next, and the client is told that its message is refused for that.
//
// Errors that answer no message. A cancel by statement_timeout that comes while the server waits for a message fails the next
// one, whatever that is. A Flush that fails has the server skip to the next Sync, as the other messages of the extended
// protocol do; a Query behind it is skipped too, and fence() tells that from a Query that fails itself. COPY data outside of a
// COPY would be answered by an error and a ReadyForQuery that nobody owes: may_send_copy_data() says when they are sent.
//
// Bounded answers. Behind a message whose answer is bounded nothing is sent until it is complete. Where the user lets a
// row not pass, the answer is cut: the rest of it is dropped, the user has the server cancel the statement, and the client
// gets an error as its end.
//  - ErrorResponse: the cancel has come in time, or the statement has failed by itself.
//  - CommandComplete or PortalSuspended: the server was faster. The client believes that the statement has failed, so the
//    transaction must fail: when nothing can be cancelled any more, the server is sent what must fail, as if that was the
//    same message, and its error ends the answer. Not where the statement was a transaction of its own, and is committed.
// Nothing is sent before the server has acted on the cancel request (note_cancelled()): it would meet what comes next.
//
// Servers that lie. What cannot be an answer to what the server was sent, ends the link by LinkUser::on_malformed(): a type
// that does not answer the request, an answer that nobody has asked for, an answer to one of the link's own questions that
// is none. Without be_exact() only the link's own messages are held to that. An ErrorResponse has a place everywhere, and
// so has the ReadyForQuery behind it: a server may fail while it is asked nothing. Silence is the user's to limit.
//
// Thread rule: the worker's. Errors: send*(), forward() and expect() may throw std::bad_alloc, and whatever the user
// throws passes through.

#include "backend/link_user.hpp"
#include "backend/owed_answers.hpp"
#include "backend/server_login.hpp"
#include "base/input.hpp"
#include "base/output.hpp"
#include "pgwire/frame_reader.hpp"
#include "pgwire/message_types.hpp"
#include "sql/analysis.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace helios::backend {

class Link final : private OwedAnswers::User {
 public:
  // `own_name`: of the statements and portals that only the link may name.
  explicit Link(std::string own_name) : own_name_(std::move(own_name)) {}
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // Who has it from now on. Lifetime: `user` outlives the last step(), expect() and end_all().
  void attach(LinkUser& user) { user_ = &user; }

  // ---- Events. The outputs live until the next begin_event(), or nothing else is called before it.
  void begin_event(base::Output& to_server, base::Output& to_client);
  // Keeps what was not read in it.
  void end_event() { input_.end_event(); }
  // The connection is encrypted; `binding` of its channel, as auth::Responder has it. Before begin_login().
  void set_channel_binding(std::string binding) { channel_binding_ = std::move(binding); }

  // The connection is there, and the login begins.
  // `responder`: answers what the server asks, instead of the client; null: the login is relayed.
  void begin_login(std::string startup_packet,
                   std::unique_ptr<auth::Responder> responder = nullptr);
  void on_bytes(std::string_view bytes) { input_.arrive(bytes); }
  void on_eof() { is_ended_ = true; }
  // Reads on by one step. False = it needs more bytes. A user that has closed the link is not told anything any more.
  bool step();

  // ---- Sending. Answered messages are to be told by expect() behind them.
  void send(std::string message) { to_server_->append(std::move(message)); }
  // What the reader has just delivered of the client's bytes.
  void forward(const pgwire::FrameReader& message);
  void expect(Tag tag, const Expect& expected);
  // The next expect() throws nothing but what on_ended() does.
  void make_room() { owed_.make_room_for_push(); }
  // The proxy answers a message of the extended protocol itself, and the server does not hear of it. The client gets
  // `bytes`, whole messages that end it as `answer` does, in their position: when everything in front of it is answered.
  // Then LinkUser::on_ended() with `answer`; or with 0, and the client gets nothing, where an error in front of it has the
  // rest of the batch skipped. E.g. ParseComplete for a text that the link has under a name already.
  void answer_here(Tag tag, char request, char answer, std::string bytes);
  // A message of the extended protocol that the client did not send: it does not get the answer.
  void send_own(char type, std::string message);
  // A Flush, where the server may be keeping answers; not twice.
  void ask_for_answers();
  // To be called before a Query or FunctionCall is sent. Behind a Flush, a Close of the link's own goes first: its
  // CloseComplete says that the Flush was well. Until then nothing else may be sent, see must_wait().
  void fence();
  // The client has sent a message that the server would skip up to the next Sync, and that is not sent for that. Requires:
  // owed().is_skipping().
  void skip(char type);
  // False = a CopyData, CopyDone or CopyFail of the client's belongs to no COPY. The server would ignore it, so it is dropped.
  // Where nobody judges, everything passes.
  [[nodiscard]] bool may_send_copy_data() const {
    return !is_exact_ || is_reading_copy_ || owed_.copying() != nullptr;
  }
  // CopyDone or CopyFail was forwarded.
  void note_copy_end();
  // The client has sent something else while the server reads data. A CopyFail asks the server: where the COPY has failed
  // already, it ignores that, and all goes on; else LinkUser::on_copy_broken(). Until one of the two is clear, nothing
  // else may be sent.
  void break_copy();
  // False = an answer of the server has to come first; it was asked. True = they are certain, or the server will not read the
  // next message: it skips to the next Sync. Where that is for a question of the link's and the message is a Query, the
  // link has a Sync follow it, whose ReadyForQuery is the client's.
  bool make_rules_certain();
  // The server has acted on the cancel request for an answer that was cut, or never will.
  void note_cancelled() { is_cancelling_ = false; }
  // No more bytes for the server. False = that was done before.
  bool finish() { return !std::exchange(is_finished_, true); }
  // Somebody judges what is sent, so the order of answers has to be known: the server is asked where a COPY leaves it open.
  // Where nobody does, nothing is asked, nor held back; the link may take an answer for the last one too early.
  void be_exact(bool is_exact) { is_exact_ = is_exact; }
  // The connection is given up; what was owed stays until end_all().
  void close();
  void end_all() { owed_.end_all(); }

  // ---- What is known.
  [[nodiscard]] const OwedAnswers& owed() const { return owed_; }
  [[nodiscard]] pgwire::TransactionStatus transaction() const { return transaction_; }
  [[nodiscard]] bool is_in_block() const { return transaction_ != pgwire::TransactionStatus::idle; }
  [[nodiscard]] const sql::ReadingRules& rules() const { return rules_; }
  // Nothing is owed, no transaction and no batch is open.
  [[nodiscard]] bool is_quiet() const { return owed_.empty() && !is_batch_open_ && !is_in_block(); }
  // Messages of the extended protocol were forwarded, and no Sync behind them.
  [[nodiscard]] bool is_batch_open() const { return is_batch_open_; }
  // False = answers may come that are not owed: nobody judged, and a COPY has failed. See be_exact(). Nothing is owed from
  // then on, and nobody may begin to judge.
  [[nodiscard]] bool is_count_certain() const { return is_count_certain_; }
  // Counts what begins with a Query, a FunctionCall, or behind a Sync: inside one unit, an error has the server skip
  // the rest.
  [[nodiscard]] std::uint64_t unit() const { return unit_; }
  // The server may have worked, and keep its answers until a Flush.
  [[nodiscard]] bool may_keep_answers() const {
    return is_batch_open_ && !was_asked_ && !owed_.empty();
  }
  // May a client's message of this type not be sent yet?
  [[nodiscard]] bool must_wait(char type) const;
  // The server has yet to say whether it wants COPY data; the answer may come with a Flush only.
  [[nodiscard]] bool waits_for_copy() const {
    return !is_reading_copy_ && probe_ == Probe::none && owed_.copying() != nullptr;
  }
  // The server is being asked something behind a COPY.
  [[nodiscard]] bool is_asking() const { return probe_ != Probe::none || is_breaking_; }
  // A bounded answer is to come, so nothing else is sent; it may come with a Flush only.
  [[nodiscard]] bool is_bounded() const { return owed_.is_bounded(); }
  // What is sent might be cancelled: see note_cancelled().
  [[nodiscard]] bool is_cancelling() const { return is_cancelling_; }
  // The server reads COPY data whose end was not forwarded yet.
  [[nodiscard]] bool is_reading_copy() const { return is_reading_copy_; }
  [[nodiscard]] const std::string& own_name() const { return own_name_; }
  [[nodiscard]] const ServerLogin& login() const { return login_; }
  [[nodiscard]] ServerLogin& login() { return login_; }

  [[nodiscard]] bool is_open() const { return is_open_; }
  // It ended, and everything that it had said was read.
  [[nodiscard]] bool is_at_end() const { return is_ended_ && input_.empty(); }
  [[nodiscard]] bool has_ended() const { return is_ended_; }
  // The server has said why it would end.
  [[nodiscard]] bool has_said_why() const { return had_fatal_; }
  [[nodiscard]] bool wants_bytes() const { return input_.empty() && !is_ended_; }
  // The client has the first part of a message of the server's.
  [[nodiscard]] bool is_amid_message() const { return reader_.inside_streamed() && !is_dropping_; }
  // One that answers nothing: nothing of the proxy's own may be said before the rest.
  [[nodiscard]] bool is_amid_notification() const { return is_amid_message() && owed_.empty(); }
  // Bytes of the answer that has not come to its end.
  [[nodiscard]] std::uint64_t answer_bytes() const { return answer_bytes_; }
  [[nodiscard]] std::size_t held_bytes() const;

 private:
  struct AnswerHere {
    Tag tag = 0;
    char answer = 0;
    std::string bytes;
  };

  // Behind a failed COPY: was a Sync in its data swallowed?
  enum class Probe { none, asked, answered };

  enum class Flush : std::uint8_t { none, clients, own };

  // Of the answer that the front entry gets.
  enum class Cut : std::uint8_t {
    none,       // all of it passes
    dropping,   // the rest is dropped, and the statement cancelled
    completed,  // a Query was completed all the same: its ReadyForQuery will tell whether for good
    to_fail,    // it was completed, and has to fail when nothing can be cancelled any more
    failing,    // what must fail was sent
  };

  void on_ended(Tag tag, char answer) override;
  [[nodiscard]] Answer present() const;
  [[nodiscard]] bool begin_message();
  [[nodiscard]] std::string_view choose(char type, std::uint32_t length);
  [[nodiscard]] std::string_view choose_answer(char type, std::uint32_t length);
  [[nodiscard]] std::string_view what_is_wrong(char type) const;
  [[nodiscard]] std::string_view swallow(char type, std::uint32_t length);
  void read_on(bool is_whole);
  void note_answer(char type);
  bool release_here();
  [[nodiscard]] std::string_view choose_bounded(char type, std::uint32_t length);
  [[nodiscard]] std::string_view choose_cut(char type, std::uint32_t length);
  void drop();
  bool fail_cut();
  void cut_here();
  [[nodiscard]] bool may_pass_notice();
  [[nodiscard]] bool is_bounded_query() const;
  bool note_bounded_ready();
  void handle_message();
  void handle_completion();
  bool note_error(std::string_view body);
  void lose_count();
  void handle_ready();
  void be_ready(std::string_view message, bool is_view);
  [[gnu::cold]] void handle_login();  // once for each link
  bool answer_request(std::string_view body);
  [[nodiscard]] bool is_too_early() const;
  bool relay_request(std::string_view body);
  void note_parameter(std::string_view body);
  void note_copy_in();
  [[nodiscard]] bool is_answer_to_break(const pgwire::ErrorFieldsView& fields) const;
  void complete(std::string_view tag);
  void ask_reading_rules();
  [[nodiscard]] std::string_view note_rule_answer(char type);
  void note_asked_rule(std::string_view row);
  bool refuse_for_rules(const pgwire::ErrorFieldsView& fields);
  bool note_reading_rule(std::string_view name, std::string_view value);
  [[nodiscard]] bool is_skipping_for_own() const { return is_ready_due_ && owed_.is_skipping(); }
  void end_skipping();
  void begin_probe();
  void note_probed_ready();
  void end_probe();
  void pass();

  const std::string own_name_;
  LinkUser* user_ = nullptr;
  base::Output* to_server_ = nullptr;  // of the present event
  base::Output* to_client_ = nullptr;

  base::Input input_;
  pgwire::FrameReader reader_;
  ServerLogin login_;
  std::optional<std::string> channel_binding_;  // nullopt: the connection is in clear
  bool is_open_ = false;
  bool is_ended_ = false;     // by the server
  bool is_finished_ = false;  // half-closed
  bool had_fatal_ = false;
  bool had_error_ = false;      // after the last ReadyForQuery
  bool is_swallowing_ = false;  // the message being read answers one of the link's own
  OwedAnswers owed_{*this};
  std::list<AnswerHere> here_;  // of the entries that are answered here, in their order
  std::uint64_t answer_bytes_ = 0;
  std::uint64_t unit_ = 1;
  bool is_batch_open_ = false;
  bool was_asked_ = false;          // a Flush stands behind what was forwarded
  Flush last_flush_ = Flush::none;  // whose was the first behind the last message that is answered
  pgwire::TransactionStatus transaction_ = pgwire::TransactionStatus::idle;
  sql::ReadingRules rules_;
  bool is_asking_rules_ = false;
  std::size_t asked_rules_ = 0;  // questions that were answered, of those under way
  bool has_rule_row_ = false;    // the present one has its row
  // An error has the server skip, and was not that of a message of the client's. If a Query is next, a ReadyForQuery is due.
  bool is_ready_due_ = false;
  bool is_fenced_ = false;  // fence(), and the server has not answered yet

  bool is_exact_ = false;
  bool is_count_certain_ = true;  // every answer to come is owed
  bool is_reading_copy_ = false;
  bool has_copy_begun_ = false;  // the server has asked for data for owed_.copying()
  bool is_breaking_ = false;     // break_copy()
  Probe probe_ = Probe::none;
  // The last ReadyForQuery of a probe.
  std::string delayed_ready_;
  Cut cut_ = Cut::none;
  std::string cut_tag_;         // completed: its command tag
  bool is_cancelling_ = false;  // see note_cancelled()
  bool is_dropping_ = false;    // the message being read is not the client's
  // The failed COPY was run by Execute: what follows is skipped to a Sync.
  bool is_ready_owed_ = false;
};

}  // namespace helios::backend
