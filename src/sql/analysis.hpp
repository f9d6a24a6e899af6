// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the proxy needs to know about a query text, as PostgreSQL's own grammar reads it. Immutable,
// shared by all executions of the same text. Positions are byte offsets into that text; an Analysis
// does not hold the text itself.

#include "sql/facts.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace helios::sql {

// What a statement does to the transaction it runs in, by parse node.
enum class TransactionOp {
  none,
  begin,            // BEGIN, START TRANSACTION
  commit,           // COMMIT, END
  rollback,         // ROLLBACK, ABORT
  savepoint,        // SAVEPOINT name
  release,          // RELEASE name
  rollback_to,      // ROLLBACK TO name
  prepare,          // PREPARE TRANSACTION: the session's transaction ends, settings stay
  finish_prepared,  // COMMIT PREPARED, ROLLBACK PREPARED
};

// The arguments of a set_config() in which parameters stand.
struct BoundArguments {
  // Numbers of the parameters for setting_name, new_value, is_local; 0 = a constant, which is below.
  std::array<int, 3> parameters{};
  std::optional<std::string> name;   // lower case
  std::optional<std::string> value;  // nullopt = the null value
  bool is_local = false;
};

// One change of a setting that the proxy follows. Only names that begin with "helios." are reported
// (in lower case, '-' is not special here), except where `all` says that every name is meant. What
// runs inside the server is not seen: a function, trigger or view that calls set_config(), a query
// that a function is given as a string, a DO block that puts the name together.
struct SettingChange {
  enum class Kind {
    set,                  // SET [SESSION] name = value; set_config(name, value, false)
    set_local,            // SET LOCAL; set_config(name, value, true)
    reset,                // RESET name, SET name TO DEFAULT: back to the session's start value
    reset_local_default,  // SET LOCAL name TO DEFAULT
    reset_all,            // RESET ALL
    discard_all,          // DISCARD ALL
    unknown,   // any helios.* may have changed: a set_config() whose arguments are not constants or
               // that may run never or often, SET ... FROM CURRENT, UPDATE pg_settings, a DO block
               // that mentions helios or set_config
    stored,    // nothing yet: PREPARE or DECLARE CURSOR of a query in which set_config() stands
    recalled,  // EXECUTE, FETCH, MOVE: does whatever was stored
    bound,     // set_config() that runs exactly once, some of its arguments parameters: see `bound`
  };
  Kind kind = Kind::set;
  std::string name;   // set, set_local, reset, reset_local_default
  std::string value;  // set, set_local
  // Of a bound change; null otherwise.
  std::shared_ptr<const BoundArguments> bound = nullptr;
};

// What a statement does with the names of prepared statements and cursors, by parse node.
enum class NameOp {
  none,
  prepare,         // PREPARE name AS
  execute,         // EXECUTE name, also inside CREATE TABLE AS and EXPLAIN
  deallocate,      // DEALLOCATE name
  deallocate_all,  // DEALLOCATE ALL
  declare,         // DECLARE name CURSOR
  close,           // CLOSE name
  close_all,       // CLOSE ALL
  discard_all,     // DISCARD ALL: all prepared statements and cursors
  fetch,           // FETCH, MOVE name: runs it
};

// An argument of helios.kv(): a string constant, or any other expression.
struct KvArgument {
  std::optional<std::string> constant;  // the constant's value; nullopt = not a constant
  std::size_t begin = 0;                // where its text stands
  std::size_t end = 0;
};

// One call of helios.kv() and how it stands in the statement.
struct KvCall {
  enum class Form {
    table,   // an item of a FROM list
    scalar,  // anywhere in an expression: a value (two arguments), or one composite per row
  };
  Form form = Form::table;
  // The bytes to replace: from the name to the closing parenthesis; for a table call that the client
  // wrote LATERAL before, from that word on; with the parentheses around a whole select list item.
  std::size_t begin = 0;
  std::size_t end = 0;
  std::vector<KvArgument> arguments;  // 0, 1 or 2
  // The result has a name already, or needs none. False: a FROM item, or a select list item standing
  // alone, that is called kv after the function.
  bool has_alias = false;
  // Not empty: this use is not supported; one line for the client, e.g. for WITH ORDINALITY,
  // ROWS FROM, named arguments, three arguments, DISTINCT, or a call inside DDL.
  std::string problem;
};

struct Analysis;

// An argument of EXECUTE.
struct ExecuteArgument {
  // A literal, with a sign, under a cast, in an ARRAY. False: an expression, whose value only the server knows.
  bool is_constant = false;
  std::optional<std::string>
      text;  // the text that a client would bind for it; nullopt = the null value
  bool operator==(const ExecuteArgument&) const = default;
};

struct Statement {
  // The statement's text as the client sent it: from behind the semicolon before it, comments included, up to
  // its own semicolon, without white space at either end.
  std::size_t begin = 0;
  std::size_t end = 0;
  // Only manages the session: hooks run only where a plugin asks for all statements. By parse node:
  // TransactionStmt (PREPARE TRANSACTION and COMMIT/ROLLBACK PREPARED excepted), VariableSetStmt,
  // VariableShowStmt, DiscardStmt, DeallocateStmt, PrepareStmt, ListenStmt, UnlistenStmt.
  bool is_session_statement = false;
  bool is_read_only = false;  // by parse node: SELECT without INTO, FOR UPDATE or a writing WITH;
      // SHOW, VALUES, EXPLAIN without ANALYZE. Functions are not looked into.
  NameOp name_op = NameOp::none;
  std::string name;                // that name_op is about; empty where it is about all
  bool is_holdable = false;        // declare: WITH HOLD
  bool reads_copy_data = false;    // COPY FROM STDIN, or nobody knows: the server may ask for data
  bool is_nested_execute = false;  // execute: not the statement itself, but a part of it
  std::vector<ExecuteArgument> arguments;  // execute
  // prepare, declare: where the text of the query begins; it ends where the statement does. And what is
  // known of that text, for itself.
  std::size_t query_begin = 0;
  std::shared_ptr<const Analysis> query;
  TransactionOp transaction = TransactionOp::none;
  bool is_chained = false;  // commit, rollback: AND CHAIN opens the next transaction at once
  std::string savepoint;    // savepoint, release, rollback_to
  // Of a kind that may end transactions on its own where no block is open: CALL and DO, and what the
  // server runs outside of blocks only (VACUUM, CREATE DATABASE, CREATE INDEX CONCURRENTLY, ...).
  bool may_commit_itself = false;
  std::vector<SettingChange> settings;  // in the order in which they take effect
  std::vector<KvCall> kv_calls;         // in text order
  Facts facts;                          // unknown where the pre-filter has answered
};

struct Analysis {
  // The text is a list of statements (possibly none). False: the grammar refuses it, or it could not
  // be read the way the server reads it; `statements` is empty then.
  bool parsed = false;
  std::string error;               // not parsed: the grammar's own message
  std::size_t error_position = 0;  // 1-based character position, 0 = none

  std::vector<Statement> statements;  // empty statements left out, as PostgreSQL does

  // Some statement changes a setting the proxy follows or the state of the transaction, so the next
  // message can be judged only when this one is answered.
  bool touches_session = false;
  bool has_kv_calls = false;
};

// The session's settings that decide how the server reads a text.
struct ReadingRules {
  bool standard_conforming_strings = true;
  // client_encoding is one whose multi-byte characters never contain an ASCII byte (UTF8, LATIN*,
  // EUC_*, SQL_ASCII, ...). False for SJIS, BIG5, GBK, UHC, GB18030, JOHAB, SHIFT_JIS_2004 and
  // anything unknown: such texts count as not parsed.
  bool encoding_is_ascii_safe = true;
  bool operator==(const ReadingRules&) const = default;
};

}  // namespace helios::sql
