// SPDX-License-Identifier: Apache-2.0
//
// Finds what a statement does to the session's settings: SET and its relatives, set_config(), and an
// UPDATE of pg_settings, which a rule of that view turns into set_config(). PostgreSQL's own server
// does not show made-up settings such as helios.* in that view; one with a module that defines them
// does.

#include "sql/tree_walk.h"

#include <strings.h>

#include <string.h>

static bool is_followed(const char* name) { return strncasecmp(name, "helios.", 7) == 0; }

void sql_record_change(struct sql_walk* walk, enum sql_change_kind kind, const char* name,
                       const char* value) {
  struct sql_change* change = palloc0(sizeof *change);
  change->kind = kind;
  change->name = name;
  change->value = value;
  change->next = walk->statement->changes;
  walk->statement->changes = change;
}

// The value as SET stores it (flatten_set_variable_args of the server for a plain string setting);
// NULL where the server refuses the statement or the value is not in the text.
static const char* set_value(const List* arguments) {
  if (list_length(arguments) != 1 || !IsA(linitial(arguments), A_Const)) return NULL;
  const A_Const* constant = linitial(arguments);
  if (constant->isnull) return NULL;
  switch (nodeTag(&constant->val)) {
    case T_Integer: return psprintf("%d", constant->val.ival.ival);
    case T_Float: return constant->val.fval.fval;
    case T_Boolean: return constant->val.boolval.boolval ? "true" : "false";
    case T_String: return constant->val.sval.sval;
    default: return NULL;
  }
}

static void record_set_value(const VariableSetStmt* set, struct sql_walk* walk) {
  const char* value = set_value(set->args);
  if (value == NULL)
    sql_record_change(walk, SQL_CHANGE_UNKNOWN, NULL, NULL);
  else
    sql_record_change(walk, set->is_local ? SQL_CHANGE_SET_LOCAL : SQL_CHANGE_SET, set->name,
                      value);
}

void sql_record_set(const VariableSetStmt* set, struct sql_walk* walk) {
  walk->statement->touches_session = true;
  if (set->kind == VAR_RESET_ALL) sql_record_change(walk, SQL_CHANGE_RESET_ALL, NULL, NULL);
  if (set->name == NULL || !is_followed(set->name)) return;
  switch (set->kind) {
    case VAR_SET_VALUE: record_set_value(set, walk); return;
    case VAR_SET_DEFAULT:
      sql_record_change(walk, set->is_local ? SQL_CHANGE_RESET_LOCAL_DEFAULT : SQL_CHANGE_RESET,
                        set->name, NULL);
      return;
    // SET name FROM CURRENT makes what SET LOCAL has put in force outlast the transaction.
    case VAR_SET_CURRENT: sql_record_change(walk, SQL_CHANGE_UNKNOWN, NULL, NULL); return;
    case VAR_RESET: sql_record_change(walk, SQL_CHANGE_RESET, set->name, NULL); return;
    case VAR_SET_MULTI:  // SET TRANSACTION and the like
    case VAR_RESET_ALL: return;
  }
}

// Something whose effect cannot be told from the text, now, later, or both.
static void record_hidden_change(struct sql_walk* walk) {
  if (walk->is_stored) sql_record_change(walk, SQL_CHANGE_STORED, NULL, NULL);
  if (walk->is_run) sql_record_change(walk, SQL_CHANGE_UNKNOWN, NULL, NULL);
}

void sql_record_update_target(const RangeVar* table, struct sql_walk* walk) {
  if (table == NULL || strcmp(table->relname, "pg_settings") != 0) return;
  if (table->schemaname != NULL && strcmp(table->schemaname, "pg_catalog") != 0) return;
  walk->statement->touches_session = true;
  record_hidden_change(walk);
}

static bool mentions(const char* text, const char* word) {
  const size_t length = strlen(word);
  for (; *text != '\0'; ++text)
    if (strncasecmp(text, word, length) == 0) return true;
  return false;
}

void sql_record_do(const DoStmt* block, struct sql_walk* walk) {
  ListCell* cell;
  foreach (cell, block->args) {
    const DefElem* option = lfirst(cell);
    if (strcmp(option->defname, "as") != 0) continue;
    const char* body = strVal(option->arg);
    if (!mentions(body, "helios") && !mentions(body, "set_config")) continue;
    walk->statement->touches_session = true;
    sql_record_change(walk, SQL_CHANGE_UNKNOWN, NULL, NULL);
  }
}

void sql_record_recall(struct sql_walk* walk) {
  if (!walk->is_run) return;
  walk->statement->touches_session = true;
  sql_record_change(walk, SQL_CHANGE_RECALLED, NULL, NULL);
}

bool sql_is_set_config(const Node* node) {
  if (node == NULL || !IsA(node, FuncCall)) return false;
  const List* names = ((const FuncCall*)node)->funcname;
  // With three names the first is the database.
  return sql_names_are(names, NULL, "set_config") ||
         sql_names_are(names, "pg_catalog", "set_config") ||
         (list_length(names) == 3 && strcmp(strVal(lsecond(names)), "pg_catalog") == 0 &&
          strcmp(strVal(lthird(names)), "set_config") == 0);
}

// The argument at `position`, or the one called `name`; NULL when there is none.
static const Node* argument(const FuncCall* call, int position, const char* name) {
  int index = 0;
  ListCell* cell;
  foreach (cell, call->args) {
    const Node* node = lfirst(cell);
    if (IsA(node, NamedArgExpr)) {
      if (strcmp(((const NamedArgExpr*)node)->name, name) == 0)
        return (const Node*)((const NamedArgExpr*)node)->arg;
    } else if (index == position) {
      return node;
    }
    ++index;
  }
  return NULL;
}

// The change that a call with parameters and constants makes, to be completed when the parameters are
// known; false: some argument is neither.
static bool record_bound_call(const char* name, const Node* const arguments[3],
                              struct sql_walk* walk) {
  struct sql_change change = {.kind = SQL_CHANGE_BOUND, .name = name};
  change.parameters[0] = sql_string_parameter(arguments[0]);
  change.parameters[1] = sql_string_parameter(arguments[1]);
  change.parameters[2] = sql_boolean_parameter(arguments[2]);
  if (name == NULL && change.parameters[0] == 0) return false;
  if (change.parameters[1] == 0 && !sql_is_null_constant(arguments[1])) {
    change.value = sql_string_constant(arguments[1]);
    if (change.value == NULL) return false;
  }
  if (change.parameters[2] == 0 && !sql_is_null_constant(arguments[2]) &&
      !sql_boolean_constant(arguments[2], &change.is_local))
    return false;
  sql_record_change(walk, SQL_CHANGE_BOUND, NULL, NULL);
  change.next = walk->statement->changes->next;
  *walk->statement->changes = change;
  return true;
}

// The change that a call with constant arguments makes; false: the arguments are not constant.
static bool record_constant_call(const char* name, const Node* value, const Node* local,
                                 struct sql_walk* walk) {
  bool is_local = false;  // as for NULL
  if (!sql_is_null_constant(local) && !sql_boolean_constant(local, &is_local)) return false;
  if (sql_is_null_constant(value)) {
    sql_record_change(walk, is_local ? SQL_CHANGE_RESET_LOCAL_DEFAULT : SQL_CHANGE_RESET, name,
                      NULL);
    return true;
  }
  const char* text = sql_string_constant(value);
  if (text == NULL) return false;
  sql_record_change(walk, is_local ? SQL_CHANGE_SET_LOCAL : SQL_CHANGE_SET, name, text);
  return true;
}

void sql_record_set_config(const FuncCall* call, bool is_exact, struct sql_walk* walk) {
  walk->statement->touches_session = true;
  if (!walk->is_run && !walk->is_stored) return;
  const char* name = sql_string_constant(argument(call, 0, "setting_name"));
  if (name != NULL && !is_followed(name)) return;
  if (is_exact && !walk->is_stored && !call->func_variadic && list_length(call->args) == 3) {
    const Node* const arguments[3] = {argument(call, 0, "setting_name"),
                                      argument(call, 1, "new_value"),
                                      argument(call, 2, "is_local")};
    if (name != NULL && record_constant_call(name, arguments[1], arguments[2], walk)) return;
    if (record_bound_call(name, arguments, walk)) return;
  }
  record_hidden_change(walk);
}

static bool count_parameters(Node* node, void* count) {
  if (node == NULL) return false;
  if (IsA(node, ParamRef)) ++*(int*)count;
  return raw_expression_tree_walker(node, count_parameters, count);
}

void sql_check_bound_changes(List* targets, struct sql_walk* walk) {
  int seen = 0;
  int bound = 0;
  count_parameters((Node*)targets, &seen);
  for (const struct sql_change* change = walk->statement->changes; change != NULL;
       change = change->next) {
    for (int i = 0; i < 3; ++i) bound += change->parameters[i] != 0 ? 1 : 0;
  }
  if (bound == seen) return;
  for (struct sql_change* change = walk->statement->changes; change != NULL; change = change->next)
    if (change->kind == SQL_CHANGE_BOUND) change->kind = SQL_CHANGE_UNKNOWN;
}
