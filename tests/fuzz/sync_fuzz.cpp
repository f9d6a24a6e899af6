// SPDX-License-Identifier: Apache-2.0
//
// Client and server stay in step. A client that keeps to the protocol talks through a session with a
// plugin to a model server; what it gets is what the model alone would have answered, but for the
// messages that were refused, and those leave the transaction as a failure would have. No statement
// reaches the server that the plugin did not let pass.
// Input: a line of letters (p: hooks answer later, c: bytes come in small parts), then a line for each
// message of the client as in support/session_script.hpp; "=" lets the server answer what it has.

#include "base/byte_writer.hpp"
#include "fuzz/support/fuzz.hpp"
#include "fuzz/support/model_server.hpp"
#include "fuzz/support/recording_plugin.hpp"
#include "fuzz/support/session_script.hpp"
#include "pgwire/error_response.hpp"
#include "pgwire/extended.hpp"
#include "pgwire/message_types.hpp"
#include "pgwire/query.hpp"
#include "sql/prefilter.hpp"

#include <vector>

namespace helios::fuzz {
namespace {

namespace fe = pgwire::frontend;
using namespace session::test;

constexpr std::size_t kMaxMessages = 48;
constexpr const char* kEnd = "\n;";  // of a statement, which may end in a comment

std::string_view body_of(std::string_view message) { return message.substr(5); }

// Messages, one after the other.
class Stream {
 public:
  explicit Stream(std::string bytes) : bytes_(std::move(bytes)), rest_(bytes_) {}

  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] std::string_view peek() const {
    if (rest_.empty()) return {};
    require(rest_.size() >= 5, "whole messages for the client");
    const auto length = static_cast<std::size_t>(base::load_i32(rest_.data() + 1)) + 1;
    require(rest_.size() >= length, "whole messages for the client");
    return rest_.substr(0, length);
  }
  void skip(std::size_t bytes) { rest_.remove_prefix(bytes); }

 private:
  std::string bytes_;
  std::string_view rest_;
};

// The session in the middle, the model behind it.
class Wire {
 public:
  Wire(bool is_pending, bool is_cut)
      : plugin_(hooks::OnError::deny), is_cut_(is_cut), harness_(options(is_pending)) {
    server_.on_statement = [this](const std::string& text) { check_permitted(text); };
    harness_.connect();
  }

  void send(std::string_view bytes) {
    deliver(bytes, [this](std::string_view part) { harness_.client_sends(part); });
  }

  // The server reads and answers until there is nothing more to say.
  void settle() {
    while (true) {
      const std::string bytes = harness_.take_to_server();
      if (bytes.empty() || server_.is_over()) return;
      deliver(server_.feed(bytes), [this](std::string_view part) { harness_.server_sends(part); });
    }
  }

  std::string end() {
    harness_.client_lost();
    harness_.server_eof();
    require(harness_.session->finished(), "the session is over");
    plugin_.require_settled();
    return harness_.to_client;
  }

  [[nodiscard]] bool is_over() const { return harness_.client_closed; }

 private:
  Options options(bool is_pending) {
    Options options;
    options.pending = is_pending;
    options.plugins = {plugin_.plugin()};
    return options;
  }

  template <typename Send>
  void deliver(std::string_view bytes, Send send) {
    const std::size_t step = is_cut_ ? 3 : bytes.size();
    while (!bytes.empty()) {
      const std::string part(bytes.substr(0, step));
      bytes.remove_prefix(part.size());
      send(part);
    }
  }

  void check_permitted(const std::string& text) {
    const auto analysis = sql::parse(text, {});
    const bool is_hooked =
        !analysis->statements.empty() && !analysis->statements[0].is_session_statement;
    // Rows of a plugin are produced by the server when others wait before them.
    if (text.starts_with("SELECT * FROM (VALUES") || text.starts_with("VALUES")) return;
    // What an EXECUTE runs was let pass, not its own text.
    if (is_hooked && analysis->statements[0].name_op == sql::NameOp::execute) return;
    require(!is_hooked || plugin_.take_permission(text), "a statement nobody let pass: " + text);
  }

  RecordingPlugin plugin_;
  ModelServer server_;
  bool is_cut_;
  SessionHarness harness_;
};

// What the client should have got, found by asking the model alone, message by message.
class Expectation {
 public:
  // `is_over`: the session ended by itself.
  Expectation(Stream& stream, bool is_over) : stream_(stream), is_over_(is_over) {}

  // False = the session is over, or what follows cannot be told.
  bool check(char type, std::string_view message) {
    if (type == fe::kTerminate) return false;
    if (type == fe::kSync && !model_.is_copying()) {
      is_skipping_ = false;
      return expect(model_.feed(message));
    }
    if (is_skipping_ || model_.is_skipping()) return true;
    if (model_.is_copying()) return expect(model_.feed(message)) && !model_.is_over();
    // With a body it is malformed, which has an answer.
    if (type == fe::kFlush && !body_of(message).empty()) return expect(model_.feed(message));
    if (type == fe::kQuery) return check_query(message);
    if (type == fe::kFunctionCall) return check_function_call(message);
    const bool is_extended = type == fe::kParse || type == fe::kBind || type == fe::kDescribe ||
                             type == fe::kExecute || type == fe::kClose;
    if (!is_extended) return true;
    return check_extended(type, message);
  }

 private:
  bool check_extended(char type, std::string_view message) {
    if (next_is_refusal()) {
      is_skipping_ = true;
      model_.fail_transaction();
      return expect_refusal({});
    }
    if (type == fe::kExecute) {
      const auto view = pgwire::parse_execute(body_of(message));
      const std::string text = view ? model_.text_of(view->portal) : std::string();
      require(!text.contains(kBlockWord) || !is_hooked(text), "what is blocked is refused");
      // What runs instead takes a form of its own: from here on nothing can be told.
      if (text.contains(kRewriteWord) || text.contains(kAnswerWord)) return false;
    }
    return expect(model_.feed(message)) && !model_.is_over();
  }

  // In a transaction that has failed the server's own error comes first.
  bool check_function_call(std::string_view message) {
    const bool is_failed = model_.status() == 'E';
    const std::string answer = model_.feed(message);
    return is_failed ? expect(answer) : expect_refusal({}) && expect(ready(model_.status()));
  }

  static bool is_hooked(const std::string& text) {
    const auto analysis = sql::parse(text, {});
    return !analysis->statements.empty() && !analysis->statements[0].is_session_statement;
  }

  [[nodiscard]] bool next_is_refusal() const {
    const std::string_view next = stream_.peek();
    return next.starts_with('E') &&
           !pgwire::parse_error_response(body_of(next)).message.starts_with(kServerError);
  }

  bool check_query(std::string_view message) {
    const std::string_view text = body_of(message).substr(0, body_of(message).size() - 1);
    if (next_is_refusal()) {
      // Whether the server saw a Query, which would have ended the unnamed statement, cannot be told.
      const bool is_known = !model_.has_unnamed();
      return expect_refusal({}) && expect_ready_after_refusal() && is_known;
    }
    // What cannot be read, the server is asked to parse, and says what is wrong.
    if (!sql::parse(text, {})->parsed && !sql::match_plain_statement(text)) {
      const std::string asked = pgwire::serialize_parse("", text) + pgwire::serialize_sync();
      return expect(model_.feed(asked));
    }
    const Forwarded forwarded = forward(text);
    // The rows of a plugin take a form of their own: from here on nothing can be told.
    if (forwarded.has_answer) return false;
    return expect(model_.feed(query(forwarded.text)));
  }

  struct Forwarded {
    std::string text;
    bool has_answer = false;
  };

  // What the plugin makes of a text that was not refused.
  static Forwarded forward(std::string_view text) {
    const auto analysis = sql::parse(text, {});
    Forwarded result;
    // A plain text passes unread, as one statement; the server will not read it either.
    if (!analysis->parsed) {
      add_statement(text, result);
    }
    for (const sql::Statement& statement : analysis->statements) {
      const std::string_view own = text.substr(statement.begin, statement.end - statement.begin);
      if (statement.is_session_statement) {
        result.text += std::string(own) + kEnd;
      } else {
        add_statement(own, result);
      }
    }
    return result;
  }

  static void add_statement(std::string_view text, Forwarded& result) {
    require(!text.contains(kBlockWord), "what is blocked is refused");
    require(!text.contains(kFailWord), "a plugin that fails refuses");
    const bool is_rewritten = text.contains(kRewriteWord);
    result.has_answer |= !is_rewritten && text.contains(kAnswerWord);
    result.text += std::string(is_rewritten ? kNewText : text) + kEnd;
  }

  bool expect_refusal(std::string_view sqlstate) {
    const std::string_view next = stream_.peek();
    if (next.empty()) return false;
    require(next[0] == 'E', "an ErrorResponse for what was refused");
    const auto fields = pgwire::parse_error_response(body_of(next));
    if (fields.severity == "FATAL") return false;
    if (!sqlstate.empty()) require_equal(fields.sqlstate, sqlstate, "SQLSTATE of the refusal");
    require(!fields.message.starts_with(kServerError), "the refusal, not the server's error");
    stream_.skip(next.size());
    return true;
  }

  bool expect_ready_after_refusal() {
    model_.fail_transaction();
    return expect(ready(model_.status()));
  }

  bool expect(const std::string& bytes) {
    const std::string_view rest = stream_.rest();
    if (rest.starts_with(bytes)) {
      stream_.skip(bytes.size());
      return true;
    }
    // The session may have ended early, in the middle of an answer.
    std::string_view expected = bytes;
    for (std::string_view next = stream_.peek(); !next.empty() && expected.starts_with(next);
         next = stream_.peek()) {
      stream_.skip(next.size());
      expected.remove_prefix(next.size());
    }
    const std::string_view next = stream_.peek();
    const bool is_end = next.empty() || (next.starts_with('E') && is_fatal(next));
    if (!is_over_ || !is_end) require_equal(rest, bytes, "what the model answers");
    return false;
  }

  static bool is_fatal(std::string_view error) {
    return pgwire::parse_error_response(body_of(error)).severity == "FATAL";
  }

  Stream& stream_;
  const bool is_over_;
  ModelServer model_;
  bool is_skipping_ = false;  // a refused batch, to Sync
};

struct Sent {
  char type = 0;
  std::string message;
};

}  // namespace
}  // namespace helios::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace helios::fuzz;
  abort_on_failed_expectations();
  Input input(text_of(data, size));
  const std::string_view letters = input.take_line();
  Wire wire(letters.contains('p'), letters.contains('c'));
  std::vector<Sent> sent;
  while (!input.empty() && sent.size() < kMaxMessages && !wire.is_over()) {
    const std::string_view line = input.take_line();
    if (line.empty()) continue;
    if (line[0] == '=') {
      wire.settle();
      continue;
    }
    if (!std::string_view("QPBDECSHFdcfX").contains(line[0])) continue;
    sent.push_back({line[0], client_message(line[0], line.substr(1))});
    wire.send(sent.back().message);
  }
  wire.settle();
  const bool is_over = wire.is_over();
  Stream stream(wire.end());
  Expectation expectation(stream, is_over);
  for (const Sent& each : sent) {
    if (!expectation.check(each.type, each.message)) return 0;
  }
  require(is_over || stream.rest().empty(), "nothing but answers");
  return 0;
}
