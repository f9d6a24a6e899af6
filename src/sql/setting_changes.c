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

// SET TRANSACTION and SET LOCAL end with the transaction.
static bool outlasts_transaction(const VariableSetStmt* set) {
  if (set->kind == VAR_SET_MULTI) return strcmp(set->name, "SESSION CHARACTERISTICS") == 0;
  return !set->is_local;
}

void sql_record_set(const VariableSetStmt* set, struct sql_walk* walk) {
  walk->statement->touches_session = true;
  if (outlasts_transaction(set)) sql_add_pin(walk, SQL_PIN_SETTING);
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
  if (walk->is_run) sql_add_pin(walk, SQL_PIN_SETTING);
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

static bool is_column(const Node* node, const ColumnRef* column) {
  const Node* below = sql_below_text_casts(node);
  return below != NULL && IsA(below, ColumnRef) &&
         equal(((const ColumnRef*)below)->fields, column->fields);
}

// The constant that `condition` compares `column` with: column = 'constant'; NULL: it does not.
static const char* compared_with(const Node* condition, const ColumnRef* column) {
  if (condition == NULL || !IsA(condition, A_Expr)) return NULL;
  const A_Expr* comparison = (const A_Expr*)condition;
  if (comparison->kind != AEXPR_OP || !sql_names_are(comparison->name, NULL, "=")) return NULL;
  if (is_column(comparison->lexpr, column)) return sql_string_constant(comparison->rexpr);
  if (is_column(comparison->rexpr, column)) return sql_string_constant(comparison->lexpr);
  return NULL;
}

// SELECT set_config(name, ...) FROM pg_settings WHERE name = 'constant', as pg_dump writes it: the name is
// that constant in every row that the select list is worked out for. NULL: it is not that.
static const char* name_in_condition(const Node* name, const struct sql_walk* walk) {
  name = sql_below_text_casts(name);
  if (name == NULL || !IsA(name, ColumnRef) || walk->conditions == NULL) return NULL;
  const ColumnRef* column = (const ColumnRef*)name;
  if (!IsA(walk->conditions, BoolExpr)) return compared_with(walk->conditions, column);
  const BoolExpr* all = (const BoolExpr*)walk->conditions;
  if (all->boolop != AND_EXPR) return NULL;
  ListCell* cell;
  foreach (cell, all->args) {
    const char* constant = compared_with(lfirst(cell), column);
    if (constant != NULL) return constant;
  }
  return NULL;
}

static bool is_local_call(const FuncCall* call) {
  bool is_local = false;
  return sql_boolean_constant(argument(call, 2, "is_local"), &is_local) && is_local;
}

void sql_record_set_config(const FuncCall* call, bool is_exact, struct sql_walk* walk) {
  walk->statement->touches_session = true;
  if (walk->is_run && !is_local_call(call)) sql_add_pin(walk, SQL_PIN_SETTING);
  if (!walk->is_run && !walk->is_stored) return;
  const char* name = sql_string_constant(argument(call, 0, "setting_name"));
  const char* certain_name =
      name != NULL ? name : name_in_condition(argument(call, 0, "setting_name"), walk);
  if (certain_name != NULL && !is_followed(certain_name)) return;
  if (is_exact && !walk->is_stored && !call->func_variadic && list_length(call->args) == 3) {
    const Node* const arguments[3] = {argument(call, 0, "setting_name"),
                                      argument(call, 1, "new_value"),
                                      argument(call, 2, "is_local")};
    if (name != NULL && record_constant_call(name, arguments[1], arguments[2], walk)) return;
    if (record_bound_call(name, arguments, walk)) return;
  }
  record_hidden_change(walk);
}

enum { MAX_PARAMETER = 65535 };  // a Bind gives no more

// How often a parameter stands in a select list: anywhere, and as an argument of set_config() alone.
struct parameter_uses {
  int anywhere;
  int as_text;
  int as_boolean;
};

static bool is_counted(int number) { return number > 0 && number <= MAX_PARAMETER; }

static bool find_last(Node* node, void* last) {
  if (node == NULL) return false;
  if (IsA(node, ParamRef) && is_counted(((ParamRef*)node)->number))
    *(int*)last = Max(*(int*)last, ((ParamRef*)node)->number);
  return raw_expression_tree_walker(node, find_last, last);
}

static bool count_anywhere(Node* node, void* context) {
  struct parameter_uses* uses = context;
  if (node == NULL) return false;
  if (IsA(node, ParamRef) && is_counted(((ParamRef*)node)->number))
    ++uses[((ParamRef*)node)->number].anywhere;
  return raw_expression_tree_walker(node, count_anywhere, context);
}

// By number. 0 is what is no parameter.
static struct parameter_uses* count_uses(List* targets) {
  int last = 0;
  find_last((Node*)targets, &last);
  struct parameter_uses* uses = palloc0((size_t)(last + 1) * sizeof *uses);
  count_anywhere((Node*)targets, uses);
  ListCell* cell;
  foreach (cell, targets) {
    const Node* value = ((const ResTarget*)lfirst(cell))->val;
    if (!sql_is_set_config(value)) continue;
    const FuncCall* call = (const FuncCall*)value;
    const int name = sql_string_parameter(argument(call, 0, "setting_name"));
    const int text = sql_string_parameter(argument(call, 1, "new_value"));
    const int local = sql_boolean_parameter(argument(call, 2, "is_local"));
    if (name <= last) ++uses[name].as_text;
    if (text <= last) ++uses[text].as_text;
    if (local <= last) ++uses[local].as_boolean;
  }
  return uses;
}

static bool is_certain(const struct sql_change* change, const struct parameter_uses* uses) {
  for (int i = 0; i < 3; ++i) {
    const int number = change->parameters[i];
    if (number == 0) continue;
    if (!is_counted(number)) return false;
    const int expected = i == 2 ? uses[number].as_boolean : uses[number].as_text;
    if (uses[number].anywhere != expected) return false;
  }
  return true;
}

void sql_check_bound_changes(List* targets, struct sql_walk* walk) {
  struct parameter_uses* uses = NULL;
  for (struct sql_change* change = walk->statement->changes; change != NULL;
       change = change->next) {
    if (change->kind != SQL_CHANGE_BOUND) continue;
    if (uses == NULL) uses = count_uses(targets);
    if (!is_certain(change, uses)) change->kind = SQL_CHANGE_UNKNOWN;
  }
  if (uses != NULL) pfree(uses);
}
