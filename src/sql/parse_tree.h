// SPDX-License-Identifier: Apache-2.0
#pragma once

// The border to libpg_query, in C. PostgreSQL reports errors by longjmp, which must not pass a C++
// frame; so the C side parses, walks the raw parse tree and leaves what it found as plain records,
// and the C++ side (parser.cpp) only reads them.
//
// Flow, all on one thread: 1 sql_tree_open(); 2 read the records; 3 sql_tree_close(). Between open
// and close no other function of libpg_query may be called on that thread. Strings and records belong
// to the tree and end with it.

#include <stdbool.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The values of SettingChange::Kind, in its order (parser.cpp checks that).
enum sql_change_kind {
  SQL_CHANGE_SET,
  SQL_CHANGE_SET_LOCAL,
  SQL_CHANGE_RESET,
  SQL_CHANGE_RESET_LOCAL_DEFAULT,
  SQL_CHANGE_RESET_ALL,
  SQL_CHANGE_DISCARD_ALL,
  SQL_CHANGE_UNKNOWN,
  SQL_CHANGE_STORED,
  SQL_CHANGE_RECALLED,
  SQL_CHANGE_BOUND,
};

// The values of NameOp, in its order.
enum sql_name_op {
  SQL_NAME_NONE,
  SQL_NAME_PREPARE,
  SQL_NAME_EXECUTE,
  SQL_NAME_DEALLOCATE,
  SQL_NAME_DEALLOCATE_ALL,
  SQL_NAME_DECLARE,
  SQL_NAME_CLOSE,
  SQL_NAME_CLOSE_ALL,
  SQL_NAME_DISCARD_ALL,
  SQL_NAME_FETCH,
};

// The values of TransactionOp, in its order.
enum sql_transaction_op {
  SQL_TRANSACTION_NONE,
  SQL_TRANSACTION_BEGIN,
  SQL_TRANSACTION_COMMIT,
  SQL_TRANSACTION_ROLLBACK,
  SQL_TRANSACTION_SAVEPOINT,
  SQL_TRANSACTION_RELEASE,
  SQL_TRANSACTION_ROLLBACK_TO,
  SQL_TRANSACTION_PREPARE,
  SQL_TRANSACTION_FINISH_PREPARED,
};

// The values of StatementKind, in its order.
enum sql_kind {
  SQL_KIND_UNKNOWN,
  SQL_KIND_OTHER,
  SQL_KIND_SELECT,
  SQL_KIND_INSERT,
  SQL_KIND_UPDATE,
  SQL_KIND_DELETE,
  SQL_KIND_MERGE,
  SQL_KIND_TRUNCATE,
  SQL_KIND_COPY_FROM,
  SQL_KIND_COPY_TO,
  SQL_KIND_CALL,
  SQL_KIND_DO_BLOCK,
  SQL_KIND_EXPLAIN,
  SQL_KIND_PREPARE,
  SQL_KIND_EXECUTE,
  SQL_KIND_DEALLOCATE,
  SQL_KIND_DECLARE,
  SQL_KIND_FETCH,
  SQL_KIND_CLOSE,
  SQL_KIND_LISTEN,
  SQL_KIND_UNLISTEN,
  SQL_KIND_NOTIFY,
  SQL_KIND_LOCK,
  SQL_KIND_VACUUM,
  SQL_KIND_ANALYZE,
  SQL_KIND_MAINTENANCE,
  SQL_KIND_TRANSACTION,
  SQL_KIND_SET,
  SQL_KIND_SHOW,
  SQL_KIND_DISCARD,
  SQL_KIND_LOAD,
  SQL_KIND_GRANT,
  SQL_KIND_DDL,
};

// The bits of Pin.
enum sql_pin {
  SQL_PIN_LISTEN = 1 << 0,
  SQL_PIN_TEMPORARY_OBJECT = 1 << 1,
  SQL_PIN_HOLDABLE_CURSOR = 1 << 2,
  SQL_PIN_PREPARED_STATEMENT = 1 << 3,
  SQL_PIN_ADVISORY_LOCK = 1 << 4,
  SQL_PIN_LIBRARY = 1 << 5,
  SQL_PIN_PROCESS_STATE = 1 << 6,
  SQL_PIN_SEQUENCE = 1 << 7,
  SQL_PIN_SETTING = 1 << 8,
  SQL_PIN_HIDDEN_CODE = 1 << 9,
  SQL_PIN_UNKNOWN = 1 << 10,
};

enum { SQL_FACT_NAMES = 64 };  // kMaxFactNames

// What a statement does with a relation.
enum sql_use { SQL_USE_READ = 1 << 0, SQL_USE_WRITE = 1 << 1, SQL_USE_DEFINE = 1 << 2 };

// A relation or a function, as written; no two of one list are alike.
struct sql_name {
  struct sql_name* next;
  uint32_t hash;
  const char* catalog;  // NULL: not written
  const char* schema;   // NULL: not written
  const char* name;
  unsigned uses;  // a relation: of sql_use
  unsigned pins;  // a function: what a call of it pins, of sql_pin
};

struct sql_names {
  struct sql_name* first;
  int count;
  bool has_more;
};

// A word that may have no meaning in a statement.
enum sql_answer { SQL_NOT_ASKED, SQL_NO, SQL_YES };

struct sql_facts {
  enum sql_kind kind;
  unsigned pins;  // of sql_pin
  enum sql_answer has_where;
  enum sql_answer has_limit;
  struct sql_names relations;
  struct sql_names functions;
};

struct sql_change {
  struct sql_change* next;  // the change before this one: the list runs backwards
  enum sql_change_kind kind;
  const char* name;   // as written (after case folding); NULL where the kind has none
  const char* value;  // set, set_local; else NULL
  // Bound: the numbers of the parameters that stand for the arguments of set_config(); 0 = the argument
  // is a constant: name, value (NULL: the null value), is_local.
  int parameters[3];
  bool is_local;
};

enum { SQL_KV_ARGUMENTS = 2 };

// A call of helios.kv(), in no particular order.
struct sql_kv_call {
  struct sql_kv_call* next;
  int location;  // of its name
  bool is_table;
  bool is_lateral;
  bool has_alias;
  int argument_count;
  const char* constants[SQL_KV_ARGUMENTS];  // NULL: not a string constant
  const char* problem;                      // static; NULL: supported
};

// An argument of EXECUTE, in their order.
struct sql_argument {
  struct sql_argument* next;
  bool is_constant;
  const char* text;  // constant; NULL: the null value
};

struct sql_statement {
  struct sql_statement* next;
  int location;
  int length;  // 0: up to the end of the text
  bool is_session_statement;
  bool is_read_only;
  bool touches_session;
  enum sql_name_op name_op;
  const char* name;  // that name_op is about; NULL: none
  bool is_nested_execute;
  bool is_holdable;
  bool reads_copy_data;
  enum sql_transaction_op transaction;
  bool is_chained;
  const char* savepoint;  // NULL: none
  bool may_commit_itself;
  struct sql_change* changes;
  struct sql_kv_call* kv_calls;
  struct sql_argument* arguments;
  struct sql_facts facts;
};

struct sql_tree {
  const char* error;   // NULL: parsed
  int error_position;  // 1-based character, 0: none
  struct sql_statement* statements;
  // Private to parse_tree.c.
  void* memory_context;
  void* parse_error;
  char* parse_stderr;
};

// Parses `text` and fills `tree`; to be closed in any case. `text` must live until the close. A tree
// that would take more than `max_bytes` is an error.
void sql_tree_open(struct sql_tree* tree, const char* text, bool standard_conforming_strings,
                   size_t max_bytes);
void sql_tree_close(struct sql_tree* tree);

// The grammar's fingerprint of `text`; false when it refuses the text.
bool sql_fingerprint(const char* text, bool standard_conforming_strings, uint64_t* fingerprint);

// Makes the next scan on this thread read string constants as sql_tree_open() would.
void sql_set_scanner_rules(bool standard_conforming_strings);

#ifdef __cplusplus
}
#endif
