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
