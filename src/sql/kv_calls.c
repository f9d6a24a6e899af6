// SPDX-License-Identifier: Apache-2.0
//
// Finds calls of helios.kv() and says what keeps the proxy from answering one.

#include "sql/tree_walk.h"

bool sql_is_kv_call(const Node* node) {
  return node != NULL && IsA(node, FuncCall) &&
         sql_names_are(((const FuncCall*)node)->funcname, "helios", "kv");
}

static bool has_named_argument(const FuncCall* call) {
  ListCell* cell;
  foreach (cell, call->args) {
    if (IsA(lfirst(cell), NamedArgExpr)) return true;
  }
  return false;
}

static const char* call_problem(const FuncCall* call) {
  if (call->agg_star) return "helios.kv() does not take \"*\"";
  if (call->agg_distinct) return "helios.kv() does not take DISTINCT";
  if (call->agg_within_group) return "helios.kv() does not take WITHIN GROUP";
  if (call->agg_order != NIL) return "helios.kv() does not take ORDER BY";
  if (call->agg_filter != NULL) return "helios.kv() does not take FILTER";
  if (call->over != NULL) return "helios.kv() does not take OVER";
  if (call->func_variadic) return "helios.kv() does not take VARIADIC";
  if (has_named_argument(call)) return "helios.kv() does not take named arguments";
  if (list_length(call->args) > SQL_KV_ARGUMENTS)
    return "helios.kv() takes at most two arguments: a plugin and a key";
  return NULL;
}

static const char* table_problem(const FuncCall* call, const RangeFunction* item,
                                 const List* column_definitions) {
  if (item->is_rowsfrom) return "helios.kv() can't be used in ROWS FROM";
  if (item->ordinality) return "helios.kv() can't be used WITH ORDINALITY";
  if (column_definitions != NIL || item->coldeflist != NIL)
    return "helios.kv() has fixed columns and takes no column definition list";
  return call_problem(call);
}

static struct sql_kv_call* add_call(const FuncCall* call, struct sql_walk* walk,
                                    const char* problem) {
  struct sql_kv_call* record = palloc0(sizeof *record);
  record->next = walk->statement->kv_calls;
  walk->statement->kv_calls = record;
  record->location = call->location;
  record->argument_count = list_length(call->args);
  for (int i = 0; i < record->argument_count && i < SQL_KV_ARGUMENTS; ++i)
    record->constants[i] = sql_string_constant(list_nth(call->args, i));
  sql_record_function(call, walk);
  if (walk->kv_problem != NULL) problem = walk->kv_problem;
  if (walk->is_inside_kv_arguments)
    problem = "helios.kv() can't be an argument of another helios.kv()";
  record->problem = problem;
  return record;
}

static void visit_arguments(const FuncCall* call, struct sql_walk* walk) {
  const bool was_inside = walk->is_inside_kv_arguments;
  walk->is_inside_kv_arguments = true;
  sql_visit((Node*)call->args, walk);
  walk->is_inside_kv_arguments = was_inside;
  sql_visit((Node*)call->agg_order, walk);
  sql_visit(call->agg_filter, walk);
  sql_visit((Node*)call->over, walk);
}

static bool is_bare_target(const FuncCall* call, const struct sql_walk* walk) {
  ListCell* cell;
  foreach (cell, walk->bare_targets) {
    if (lfirst(cell) == call) return true;
  }
  return false;
}

void sql_record_kv_scalar(const FuncCall* call, struct sql_walk* walk) {
  struct sql_kv_call* record = add_call(call, walk, call_problem(call));
  record->has_alias = !is_bare_target(call, walk);
  visit_arguments(call, walk);
}

void sql_record_kv_table(const FuncCall* call, const RangeFunction* item, List* column_definitions,
                         struct sql_walk* walk) {
  struct sql_kv_call* record = add_call(call, walk, table_problem(call, item, column_definitions));
  record->is_table = true;
  record->is_lateral = item->lateral && !item->is_rowsfrom;
  record->has_alias = item->alias != NULL;
  visit_arguments(call, walk);
}
