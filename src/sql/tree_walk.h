// SPDX-License-Identifier: Apache-2.0
#pragma once

// Between the C files that read the raw parse tree: what one statement's walk carries along, and the
// functions that record what they find. Every function here may leave by longjmp (out of memory,
// stack depth limit), so all of them run inside the PG_TRY of parse_tree.c. Nothing needs freeing:
// records lie in the memory context of the parse.

#include "sql/parse_tree.h"
#include "sql/pg_nodes.h"

// A name that a WITH clause defines.
struct sql_with_name {
  const struct sql_with_name* outer;
  const char* name;
};

// Those that hold at one place of the text, the innermost first.
struct sql_scope {
  const struct sql_with_name* names;
  int count;
  bool has_more;  // than are kept: what is not found may still be one
};

struct sql_walk {
  struct sql_statement* statement;
  // Expressions of this statement are run by it. False: only stored or planned (a view's query, a
  // prepared statement, EXPLAIN), so a set_config() in them changes nothing now.
  bool is_run;
  // They are run or planned by it, and planning runs functions that say they are immutable. False: only
  // stored. Nobody but the facts asks.
  bool is_planned;
  // They may be run later by another statement, which names this one.
  bool is_stored;
  // Why helios.kv() cannot stand in this statement; NULL: it can.
  const char* kv_problem;
  bool is_inside_kv_arguments;
  // In a select list: the WHERE that held for each of its rows. NULL: there is none, or it is elsewhere.
  const Node* conditions;
  List* bare_targets;  // helios.kv() calls that are a select list item without a name
  struct sql_scope scope;
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

// fact_records.c: what is told as Facts. Names may be recorded any number of times.
void sql_add_pin(struct sql_walk* walk, unsigned pin);
// A relation at a place where the name of a WITH query may stand.
void sql_record_source(const RangeVar* relation, struct sql_walk* walk);
// A relation at any other; NULL is none.
void sql_record_relation(const RangeVar* relation, unsigned uses, struct sql_walk* walk);
// One that something makes: it may be temporary, and `is_dropped` with the transaction.
void sql_record_new_relation(const RangeVar* relation, bool is_dropped, struct sql_walk* walk);
// One whose name is a list of String nodes, of which the last `surplus` belong to something else.
void sql_record_relation_name(const List* names, int surplus, unsigned uses, struct sql_walk* walk);
void sql_record_function(const FuncCall* call, struct sql_walk* walk);
// Is it a session's schema of temporary objects? NULL is none.
bool sql_is_temporary_schema(const char* schema);
// Visits the queries of a WITH clause (NULL: none), each with the names that it sees, and leaves the walk
// where all of them hold. Returns what the scope was, to be put back.
struct sql_scope sql_enter_with(const WithClause* with, struct sql_walk* walk);
// What a statement's node tells by itself; `node` is the whole statement, which has been visited.
void sql_complete_facts(const Node* node, struct sql_walk* walk);

// statement_kinds.c
enum sql_kind sql_statement_kind(const Node* node);

// function_pins.c: what a call pins, of sql_pin; 0: nothing. `schema` may be NULL.
unsigned sql_function_pins(const char* schema, const char* name);

// ddl_relations.c: the relations that a statement defines, maintains, empties or locks, as far as they stand in
// the statement's own node.
void sql_record_definition(Node* statement, struct sql_walk* walk);

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
