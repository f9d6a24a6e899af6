// SPDX-License-Identifier: Apache-2.0
//
// parse(): turns what the C side finds in the parse tree into an Analysis.

#include "base/text.hpp"
#include "sql/analyzer.hpp"
#include "sql/call_ranges.hpp"
#include "sql/parse_tree.h"
#include "sql/prepare_thread.hpp"
#include "sql/read_facts.hpp"
#include "sql/tokens.hpp"

#include <algorithm>
#include <limits>

namespace helios::sql {
namespace {

static_assert(static_cast<int>(SettingChange::Kind::set) == SQL_CHANGE_SET);
static_assert(static_cast<int>(SettingChange::Kind::set_local) == SQL_CHANGE_SET_LOCAL);
static_assert(static_cast<int>(SettingChange::Kind::reset) == SQL_CHANGE_RESET);
static_assert(static_cast<int>(SettingChange::Kind::reset_local_default) ==
              SQL_CHANGE_RESET_LOCAL_DEFAULT);
static_assert(static_cast<int>(SettingChange::Kind::reset_all) == SQL_CHANGE_RESET_ALL);
static_assert(static_cast<int>(SettingChange::Kind::discard_all) == SQL_CHANGE_DISCARD_ALL);
static_assert(static_cast<int>(SettingChange::Kind::unknown) == SQL_CHANGE_UNKNOWN);
static_assert(static_cast<int>(SettingChange::Kind::stored) == SQL_CHANGE_STORED);
static_assert(static_cast<int>(SettingChange::Kind::recalled) == SQL_CHANGE_RECALLED);
static_assert(static_cast<int>(SettingChange::Kind::bound) == SQL_CHANGE_BOUND);

static_assert(static_cast<int>(NameOp::none) == SQL_NAME_NONE);
static_assert(static_cast<int>(NameOp::prepare) == SQL_NAME_PREPARE);
static_assert(static_cast<int>(NameOp::execute) == SQL_NAME_EXECUTE);
static_assert(static_cast<int>(NameOp::deallocate) == SQL_NAME_DEALLOCATE);
static_assert(static_cast<int>(NameOp::deallocate_all) == SQL_NAME_DEALLOCATE_ALL);
static_assert(static_cast<int>(NameOp::declare) == SQL_NAME_DECLARE);
static_assert(static_cast<int>(NameOp::close) == SQL_NAME_CLOSE);
static_assert(static_cast<int>(NameOp::close_all) == SQL_NAME_CLOSE_ALL);
static_assert(static_cast<int>(NameOp::discard_all) == SQL_NAME_DISCARD_ALL);
static_assert(static_cast<int>(NameOp::fetch) == SQL_NAME_FETCH);

static_assert(static_cast<int>(TransactionOp::none) == SQL_TRANSACTION_NONE);
static_assert(static_cast<int>(TransactionOp::begin) == SQL_TRANSACTION_BEGIN);
static_assert(static_cast<int>(TransactionOp::commit) == SQL_TRANSACTION_COMMIT);
static_assert(static_cast<int>(TransactionOp::rollback) == SQL_TRANSACTION_ROLLBACK);
static_assert(static_cast<int>(TransactionOp::savepoint) == SQL_TRANSACTION_SAVEPOINT);
static_assert(static_cast<int>(TransactionOp::release) == SQL_TRANSACTION_RELEASE);
static_assert(static_cast<int>(TransactionOp::rollback_to) == SQL_TRANSACTION_ROLLBACK_TO);
static_assert(static_cast<int>(TransactionOp::prepare) == SQL_TRANSACTION_PREPARE);
static_assert(static_cast<int>(TransactionOp::finish_prepared) == SQL_TRANSACTION_FINISH_PREPARED);

// PostgreSQL's parser counts bytes in an int and refuses allocations of 1 GiB.
constexpr std::size_t kMaxTextBytes = (std::size_t{1} << 30U) - 1;

std::string text_or_empty(const char* text) { return text == nullptr ? std::string() : text; }

class Tree {
 public:
  Tree(const std::string& text, bool standard_conforming_strings) {
    sql_tree_open(&tree_, text.c_str(), standard_conforming_strings,
                  kMinTreeBytes + kTreeBytesPerTextByte * text.size());
  }
  ~Tree() { sql_tree_close(&tree_); }
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;
  const sql_tree* operator->() const { return &tree_; }

 private:
  sql_tree tree_;
};

// What is known of a call before the text was scanned.
struct UnlocatedCall {
  KvCall call;
  bool is_lateral = false;
};

struct ParsedStatement {
  Statement statement;
  std::vector<UnlocatedCall> calls;
};

std::shared_ptr<const BoundArguments> read_bound(const sql_change& change) {
  auto bound = std::make_shared<BoundArguments>();
  for (std::size_t i = 0; i < bound->parameters.size(); ++i) {
    bound->parameters[i] = change.parameters[i];
  }
  if (change.name != nullptr) bound->name = base::to_lower(change.name);
  if (change.value != nullptr) bound->value = change.value;
  bound->is_local = change.is_local;
  return bound;
}

std::vector<SettingChange> read_changes(const sql_change* change) {
  std::vector<SettingChange> changes;
  for (; change != nullptr; change = change->next) {
    if (change->kind == SQL_CHANGE_BOUND) {
      changes.push_back({.kind = SettingChange::Kind::bound,
                         .name = {},
                         .value = {},
                         .bound = read_bound(*change)});
      continue;
    }
    changes.push_back({.kind = static_cast<SettingChange::Kind>(change->kind),
                       .name = base::to_lower(text_or_empty(change->name)),
                       .value = text_or_empty(change->value)});
  }
  std::ranges::reverse(changes);
  return changes;
}

UnlocatedCall read_call(const sql_kv_call& call) {
  UnlocatedCall result;
  result.is_lateral = call.is_lateral;
  result.call.form = call.is_table ? KvCall::Form::table : KvCall::Form::scalar;
  result.call.begin = static_cast<std::size_t>(call.location);
  result.call.end = result.call.begin;
  result.call.has_alias = call.has_alias;
  result.call.problem = text_or_empty(call.problem);
  const int count = std::min(call.argument_count, static_cast<int>(SQL_KV_ARGUMENTS));
  for (int i = 0; i < count; ++i) {
    KvArgument argument;
    if (call.constants[i] != nullptr) argument.constant = call.constants[i];
    result.call.arguments.push_back(std::move(argument));
  }
  return result;
}

std::vector<UnlocatedCall> read_calls(const sql_kv_call* call) {
  std::vector<UnlocatedCall> calls;
  for (; call != nullptr; call = call->next) calls.push_back(read_call(*call));
  std::ranges::sort(calls, {}, [](const UnlocatedCall& unlocated) { return unlocated.call.begin; });
  return calls;
}

std::vector<ExecuteArgument> read_arguments(const sql_argument* argument) {
  std::vector<ExecuteArgument> arguments;
  for (; argument != nullptr; argument = argument->next) {
    ExecuteArgument& read = arguments.emplace_back();
    read.is_constant = argument->is_constant;
    if (argument->text != nullptr) read.text = argument->text;
  }
  return arguments;
}

// Between two statements there are white space, comments and semicolons. The place behind the last
// semicolon that is not in a comment.
std::size_t behind_semicolons(std::string_view text, std::size_t from, std::size_t to) {
  std::size_t behind = from;
  std::size_t depth = 0;  // of /* */, which nest
  for (std::size_t i = from; i < to; ++i) {
    const std::string_view two = text.substr(i, 2);
    if (two == "/*" || (depth > 0 && two == "*/")) {
      depth = two == "/*" ? depth + 1 : depth - 1;
      ++i;
    } else if (depth == 0 && two == "--") {
      i = std::min(text.find_first_of("\r\n", i), to);
    } else if (depth == 0 && text[i] == ';') {
      behind = i + 1;
    }
  }
  return behind;
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// `from`: where the statement before it ends.
Statement read_statement(const sql_statement& found, const std::string& text, std::size_t from) {
  Statement statement;
  const auto location = static_cast<std::size_t>(found.location);
  statement.end =
      found.length == 0 ? text.size() : location + static_cast<std::size_t>(found.length);
  statement.begin = behind_semicolons(text, from, location);
  while (statement.begin < location && is_space(text[statement.begin])) ++statement.begin;
  while (statement.end > statement.begin && is_space(text[statement.end - 1])) --statement.end;
  statement.is_session_statement = found.is_session_statement;
  statement.is_read_only = found.is_read_only;
  statement.name_op = static_cast<NameOp>(found.name_op);
  statement.name = text_or_empty(found.name);
  statement.is_holdable = found.is_holdable;
  statement.reads_copy_data = found.reads_copy_data;
  statement.is_nested_execute = found.is_nested_execute;
  statement.arguments = read_arguments(found.arguments);
  statement.transaction = static_cast<TransactionOp>(found.transaction);
  statement.is_chained = found.is_chained;
  statement.savepoint = text_or_empty(found.savepoint);
  statement.may_commit_itself = found.may_commit_itself;
  statement.settings = read_changes(found.changes);
  statement.facts = read_facts(found.facts);
  return statement;
}

// Copies everything out of the tree.
std::vector<ParsedStatement> read_tree(const std::string& text, ReadingRules rules,
                                       Analysis& analysis) {
  std::vector<ParsedStatement> statements;
  const Tree tree(text, rules.standard_conforming_strings);
  if (tree->error != nullptr) {
    analysis.error = tree->error;
    analysis.error_position = static_cast<std::size_t>(std::max(tree->error_position, 0));
    return statements;
  }
  analysis.parsed = true;
  std::size_t from = 0;
  for (const sql_statement* found = tree->statements; found != nullptr; found = found->next) {
    analysis.touches_session |= found->touches_session;
    statements.push_back({read_statement(*found, text, from), read_calls(found->kv_calls)});
    from = static_cast<std::size_t>(found->location) + static_cast<std::size_t>(found->length);
    analysis.has_kv_calls |= !statements.back().calls.empty();
  }
  return statements;
}

void locate_calls(ParsedStatement& parsed, const std::vector<Token>& tokens) {
  for (UnlocatedCall& unlocated : parsed.calls) {
    // Nobody replaces a call that has a problem.
    if (unlocated.call.problem.empty()) fill_ranges(unlocated.call, unlocated.is_lateral, tokens);
    parsed.statement.kv_calls.push_back(std::move(unlocated.call));
  }
}

bool names_query(const Statement& statement) {
  return statement.name_op == NameOp::prepare || statement.name_op == NameOp::declare;
}

// PREPARE name (types) AS query, DECLARE name CURSOR FOR query: nothing before can be the bare word AS
// or FOR.
void locate_named_query(Statement& statement, std::string_view text,
                        const std::vector<Token>& tokens) {
  if (!names_query(statement)) return;
  const std::string_view before = statement.name_op == NameOp::prepare ? "as" : "for";
  auto token = std::ranges::lower_bound(tokens, statement.begin, {}, &Token::begin);
  for (; token != tokens.end() && token->begin < statement.end; ++token) {
    const std::string_view word = text.substr(token->begin, token->end - token->begin);
    if (base::to_lower(word) != before) continue;
    ++token;
    break;
  }
  statement.query_begin = token == tokens.end() ? statement.end : token->begin;
}

// Together with the text around it, wherever that is read: a long one off the event loop. It names no query
// itself.
void read_named_query(Statement& statement, std::string_view text, ReadingRules rules) {
  if (!names_query(statement)) return;
  statement.query =
      parse(text.substr(statement.query_begin, statement.end - statement.query_begin), rules);
}

void read_text(const std::string& text, ReadingRules rules, Analysis& analysis) {
  prepare_thread();
  std::vector<ParsedStatement> statements = read_tree(text, rules, analysis);
  const bool has_named_query = std::ranges::any_of(
      statements, [](const ParsedStatement& parsed) { return names_query(parsed.statement); });
  std::vector<Token> tokens;
  if (analysis.has_kv_calls || has_named_query) {
    tokens = scan_tokens(text, rules.standard_conforming_strings);
  }
  for (ParsedStatement& parsed : statements) {
    locate_calls(parsed, tokens);
    locate_named_query(parsed.statement, text, tokens);
    read_named_query(parsed.statement, text, rules);
    analysis.statements.push_back(std::move(parsed.statement));
  }
}

}  // namespace

std::shared_ptr<const Analysis> parse(std::string_view text, ReadingRules rules) {
  auto analysis = std::make_shared<Analysis>();
  if (!rules.encoding_is_ascii_safe)
    analysis->error =
        "client_encoding is one in which a multi-byte character may contain a backslash or quote: "
        "it cannot be read by the proxy";
  else if (text.contains('\0'))
    analysis->error = "the text contains a NUL byte";
  else if (text.size() > kMaxTextBytes)
    analysis->error = "the text is too long to be parsed";
  else
    read_text(std::string(text), rules, *analysis);
  return analysis;
}

}  // namespace helios::sql
