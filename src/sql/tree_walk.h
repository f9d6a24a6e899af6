// SPDX-License-Identifier: Apache-2.0
#pragma once

// Between the C files that read the raw parse tree: what one statement's walk carries along, and the
// functions that record what they find. Every function here may leave by longjmp (out of memory,
// stack depth limit), so all of them run inside the PG_TRY of parse_tree.c. Nothing needs freeing:
// records lie in the memory context of the parse.

#include "sql/parse_tree.h"
#include "sql/pg_nodes.h"

struct sql_walk {
  struct sql_statement* statement;
  // Expressions of this statement are run by it. False: only stored or planned (a view's query, a
  // prepared statement, EXPLAIN), so a set_config() in them changes nothing now.
  bool is_run;
  // They may be run later by another statement, which names this one.
  bool is_stored;
  // Why helios.kv() cannot stand in this statement; NULL: it can.
  const char* kv_problem;
  bool is_inside_kv_arguments;
  // In a select list: the WHERE that held for each of its rows. NULL: there is none, or it is elsewhere.
  const Node* conditions;
  List* bare_targets;  // helios.kv() calls that are a select list item without a name
};

// statements.c: what each RawStmt of the list is and does, in their order.
struct sql_statement* sql_read_statements(const List* raw_statements);

// tree_walk.c: visits a query or expression and all below it. Returns false (the convention of
// PostgreSQL's walkers for "go on"), always.
bool sql_visit(Node* node, void* walk);

// ddl_expressions.c: visits the expressions inside a statement that defines something.
void sql_visit_definition(Node* statement, struct sql_walk* walk);

// setting_changes.c
void sql_record_change(struct sql_walk* walk, enum sql_change_kind kind, const char* name,
                       const char* value);
void sql_record_set(const VariableSetStmt* set, struct sql_walk* walk);
void sql_record_update_target(const RangeVar* table, struct sql_walk* walk);
// DO: its text is code of some language, in which only words can be looked for.
void sql_record_do(const DoStmt* block, struct sql_walk* walk);
// EXECUTE, FETCH, MOVE.
void sql_record_recall(struct sql_walk* walk);
bool sql_is_set_config(const Node* node);
// A set_config() somewhere in a query; `is_exact`: it runs exactly once, in its turn.
void sql_record_set_config(const FuncCall* call, bool is_exact, struct sql_walk* walk);
// Of a select list that ran exactly once: a parameter that also stands elsewhere in it may have
// another type than set_config() asks for, and its value then another text. Such changes are unknown.
void sql_check_bound_changes(List* targets, struct sql_walk* walk);

// kv_calls.c
bool sql_is_kv_call(const Node* node);
void sql_record_kv_scalar(const FuncCall* call, struct sql_walk* walk);
void sql_record_kv_table(const FuncCall* call, const RangeFunction* item, List* column_definitions,
                         struct sql_walk* walk);

// execute_arguments.c
void sql_record_arguments(const ExecuteStmt* execute, struct sql_walk* walk);

// constants.c: constants as the grammar leaves them.
// The value of a string constant, also under a cast to text or varchar; NULL: it is none.
const char* sql_string_constant(const Node* node);
bool sql_is_null_constant(const Node* node);
// What stands below casts to text or varchar, which keep a string as it is; NULL: another cast is there.
const Node* sql_below_text_casts(const Node* node);
// The number of the parameter that `node` is, also under a cast to text or varchar, or to boolean;
// 0: it is none.
int sql_string_parameter(const Node* node);
int sql_boolean_parameter(const Node* node);
// The value of a boolean constant: true, 't', 'on'::bool, ...; false when it is none.
bool sql_boolean_constant(const Node* node, bool* value);
// Does the list of String nodes spell this name? `schema` NULL: one name only.
bool sql_names_are(const List* names, const char* schema, const char* name);
