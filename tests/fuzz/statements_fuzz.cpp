// SPDX-License-Identifier: Apache-2.0
//
// parse(): what it says about a text holds together, and a statement cut out of the text means what
// it meant inside.
// Input: a byte whose lowest bit chooses standard_conforming_strings, then a query text, see
// support/sql_text.hpp.

#include "base/text.hpp"
#include "fuzz/support/fuzz.hpp"
#include "fuzz/support/same_analysis.hpp"
#include "fuzz/support/sql_text.hpp"

#include <algorithm>

namespace helios::fuzz {
namespace {

using sql::SettingChange;

void check_change(const SettingChange& change) {
  using Kind = SettingChange::Kind;
  switch (change.kind) {
    case Kind::set:
    case Kind::set_local:
    case Kind::reset:
    case Kind::reset_local_default:
      require(change.name.starts_with("helios."), "only settings that the proxy follows");
      require_equal(change.name, base::to_lower(change.name), "names in lower case");
      break;
    case Kind::reset_all:
    case Kind::discard_all:
    case Kind::unknown:
    case Kind::stored:
    case Kind::recalled: require(change.name.empty(), "no name"); break;
    case Kind::bound: require(change.bound != nullptr, "arguments of a bound change"); break;
  }
}

void check_calls(const sql::Statement& statement, std::string_view text) {
  std::size_t from = statement.begin;
  for (const sql::KvCall& call : statement.kv_calls) {
    if (!call.problem.empty()) {
      require(call.problem.find('\n') == std::string::npos, "a problem of one line");
      continue;
    }
    require(call.begin < call.end && call.end <= statement.end, "a call inside its statement");
    require(call.arguments.size() <= 2, "at most two arguments");
    require(text[call.end - 1] == ')', "up to the closing parenthesis");
    std::size_t at = call.begin;
    for (const sql::KvArgument& argument : call.arguments) {
      require(argument.begin >= at && argument.begin < argument.end && argument.end < call.end,
              "arguments inside the call, in order");
      at = argument.end;
    }
    require(call.begin >= statement.begin, "a call inside its statement");
    require(from <= call.begin, "calls in text order");
    from = call.begin;
  }
}

// Alone, a statement is the same one. Its depth counts from the same ground, so what could be read
// before can be read again.
void check_alone(const sql::Statement& statement, std::string_view text, sql::ReadingRules rules) {
  const std::string_view own = text.substr(statement.begin, statement.end - statement.begin);
  const auto alone = sql::parse(own, rules);
  if (!alone->parsed && alone->error == "stack depth limit exceeded") return;
  require(alone->parsed, "a statement that parses alone: " + std::string(own));
  require(alone->statements.size() == 1, "one statement: " + std::string(own));
  require(same_statement(alone->statements.front(), statement, statement.begin),
          "the same statement alone: " + std::string(own));
}

void check_statement(const sql::Statement& statement, std::string_view text,
                     sql::ReadingRules rules, bool touches_session) {
  using Op = sql::TransactionOp;
  require(statement.begin < statement.end, "a statement that is not empty");
  const bool has_name = statement.transaction == Op::savepoint ||
                        statement.transaction == Op::release ||
                        statement.transaction == Op::rollback_to;
  require(has_name != statement.savepoint.empty(), "a savepoint has a name");
  for (const SettingChange& change : statement.settings) check_change(change);
  if (!statement.settings.empty() || statement.transaction != Op::none)
    require(touches_session, "what changes the session touches it");
  check_calls(statement, text);
  check_alone(statement, text, rules);
}

}  // namespace
}  // namespace helios::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace helios;
  using namespace helios::fuzz;
  Input input(text_of(data, size));
  const sql::ReadingRules rules{.standard_conforming_strings = (input.take_byte() & 1) == 0};
  const std::string text = sql_text(input.rest());
  const auto analysis = sql::parse(text, rules);
  if (!analysis->parsed) {
    require(analysis->statements.empty() && !analysis->error.empty(), "refused with a reason");
    return 0;
  }
  std::size_t from = 0;
  bool has_calls = false;
  for (const sql::Statement& statement : analysis->statements) {
    require(from <= statement.begin && statement.end <= text.size(), "statements in text order");
    from = statement.end;
    has_calls |= !statement.kv_calls.empty();
    check_statement(statement, text, rules, analysis->touches_session);
  }
  require(has_calls == analysis->has_kv_calls, "has_kv_calls");
  return 0;
}
