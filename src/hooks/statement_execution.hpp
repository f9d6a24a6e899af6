// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a hook sees and may answer. One StatementExecution exists per execution of one statement: a
// statement of a Query message, a portal (from its Bind to its last row), or a FunctionCall. It is made before its
// pre_query hooks run, carries their verdicts, and is finished by exactly one Outcome, which its
// post_query hooks see.

#include "hooks/answer_limits.hpp"
#include "hooks/receipt.hpp"
#include "hooks/redacted_texts.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::hooks {

class Chain;

// Who runs the statement and under which settings: an immutable snapshot as of the statement's turn,
// shared by consecutive statements between which nothing changed.
struct Context {
  std::string session_id;  // UUID of the client session
  std::string user;
  std::string database;
  std::string client_ip;  // empty for a Unix socket
  // The tenant in force; nullopt = none.
  std::optional<std::string> tenant_id;
  // Everything else a plugin can ask for by name, in no particular order, names unique:
  // tenant_id (when there is one), application_name, client_ip, agent_id, model_id, every helios.*
  // setting under its own name, identity.roles where they are fixed; and os_user, client_uid, client_pid of a client on a Unix socket.
  std::vector<std::pair<std::string, std::string>> attributes;
};

// How a statement comes to be executed.
enum class Origin {
  query,          // a statement of a Query message
  execute,        // a portal, with the text and the parameters that it was bound to
  function_call,  // a FunctionCall message, which has no text
};

// A parameter of a portal as Bind gave it, or a constant argument of an EXECUTE. The view is valid until
// post_query has run.
struct Parameter {
  std::uint32_t type_oid = 0;             // as Parse declared it; 0 = left to the server
  bool is_binary = false;                 // format of `value`
  std::optional<std::string_view> value;  // nullopt = NULL
};

// How a statement execution ended. Every execution whose pre_query ran gets exactly one.
enum class Outcome {
  executed,  // the server completed it
  answered,  // a plugin's rows were its answer
  failed,    // the server answered it with an error
  refused,   // a plugin, or the proxy itself, refused the message it belongs to
  skipped,   // it did not run: an earlier statement failed, or its portal ended unused
  lost,      // the connection ended before the server answered: it may have run
  unknown,   // it may have run, nobody can say
};

// Works out the fingerprint of a statement's text; none when the grammar refuses it. Any thread.
using FingerprintOf = std::optional<std::uint64_t> (*)(std::string_view text,
                                                       bool standard_conforming_strings);

// What became of the transaction in which a statement ran: CommandComplete alone is not success.
enum class Settlement {
  committed,
  rolled_back,
  unknown,  // the connection ended first, or nobody could follow
};

// Rows that a plugin gives as the answer of a statement.
struct Answer {
  struct Column {
    std::string name;
    std::uint32_t type_oid = 25;  // of pg_type; 25 = text
  };
  std::vector<Column> columns;
  // Values in text format, one per column; nullopt = NULL.
  std::vector<std::vector<std::optional<std::string>>> rows;
};

// What a plugin's pre_query answers.
struct Verdict {
  enum class Action { proceed, block, rewrite, answer };
  Action action = Action::proceed;
  std::string text;                      // block: the reason; rewrite: the new statement
  std::string sqlstate;                  // block: five characters; empty = the default 42000
  std::string detail;                    // block: more of the reason; empty = none
  std::string hint;                      // block, limits: what to do; empty = nothing said
  std::shared_ptr<const Answer> answer;  // answer: the rows
  // proceed, rewrite: the statement may run, but no more than this of its answer passes; nullopt = all of it.
  std::optional<std::uint64_t> max_rows;
  std::optional<std::uint64_t> max_bytes;

  [[nodiscard]] bool has_limits() const { return max_rows || max_bytes; }
};

inline constexpr std::size_t kScratchBytes = 256;

// One plugin's part in one statement execution.
struct PluginRecord {
  // Its pre_query committed, or failed under on_error = allow: it gets a post_query.
  bool post_query_owed = false;
  bool settled_owed = false;   // likewise a settled
  bool skips_settled = false;  // its post_query wanted none
  std::vector<char> scratch;   // up to kScratchBytes, from pre_query for post_query and settled
};

struct StatementExecution {
  std::uint64_t id = 0;  // unique in this process
  // The statement as the client sent it, without its semicolon, and as it will run (differs after a
  // rewrite). Valid until post_query has run.
  std::string_view text;
  std::string rewritten;                 // empty = not rewritten
  std::uint32_t rewrites = 0;            // how often
  std::shared_ptr<const Answer> answer;  // a plugin's rows; null = the server answers
  // What may pass of the server's answer; null = all of it. Means nothing where there is an `answer`.
  std::shared_ptr<AnswerLimits> limits;
  // Run by SQL EXECUTE: that EXECUTE's own text, with its arguments. Valid as long as `text`; empty = it
  // is not.
  std::string_view execute_text;
  // Asked only when a plugin wants to know; null = the text cannot be read.
  FingerprintOf fingerprint_of = nullptr;
  // Asked only when a plugin wants to see texts without secrets; null = nobody can say what the text holds.
  RedactText redact_text = nullptr;
  RedactMessage redact_message = nullptr;   // likewise of error_message
  std::shared_ptr<RedactedTexts> redacted;  // what they have said; null until then
  bool standard_conforming_strings = true;  // as `text` is read
  bool is_read_only = false;
  bool manages_session = false;  // and does nothing else: see sql::Statement::is_session_statement
  // Nobody knows the tenant that is in force: a hook that asks for it, or for another helios.* setting, must
  // not get an answer.
  bool is_tenant_unknown = false;
  Origin origin = Origin::query;
  std::vector<Parameter> parameters;  // of a portal or EXECUTE
  bool are_parameters_known = true;   // false: of an EXECUTE, whose arguments only the server knows
  std::shared_ptr<const Context> context;
  // The plugins of this execution; kept even when a reload replaces them meanwhile.
  std::shared_ptr<const Chain> chain;
  std::vector<PluginRecord> plugins;  // parallel to the chain's plugins
  Receipt receipt;                    // of all its hook calls so far

  // Known from here on when post_query runs.
  Outcome outcome = Outcome::lost;
  // What the server spent on planning and running it: from the later of forwarding its message and the
  // end of the hooked statement before it, to its own end. No time counts for two statements. The server may
  // send several ends at once; the time is then the first one's.
  std::int64_t duration_ns = 0;
  std::uint64_t response_bytes = 0;   // all messages of its answer, framing included
  std::optional<std::uint64_t> rows;  // from the command tag, where it has a count
  std::string command_tag;
  std::string sqlstate;  // failed: the server's; refused: ours
  std::string error_message;

  // Known when settled runs, for those plugins that have that hook; and when post_query runs, where the transaction has
  // ended by then.
  std::optional<Settlement> settlement;

  [[nodiscard]] std::string_view current_text() const {
    return rewritten.empty() ? text : std::string_view(rewritten);
  }
};

}  // namespace helios::hooks
