// SPDX-License-Identifier: Apache-2.0
//
// The walk over queries and expressions. PostgreSQL's own raw_expression_tree_walker() knows every
// node's children and refuses trees that are too deep for the stack; a node that it does not know is
// an error, so nothing is passed over silently.

#include "sql/tree_walk.h"

// A FROM item made of functions: each element of `functions` is a call and its column definitions.
static void visit_range_function(const RangeFunction* item, struct sql_walk* walk) {
  ListCell* cell;
  foreach (cell, item->functions) {
    const List* pair = lfirst(cell);
    Node* call = linitial(pair);
    if (sql_is_kv_call(call))
      sql_record_kv_table((FuncCall*)call, item, lsecond(pair), walk);
    else
      sql_visit(call, walk);
  }
}

static bool visit_children(Node* node, struct sql_walk* walk) {
  return raw_expression_tree_walker(node, sql_visit, walk);
}

static bool visit_call(FuncCall* call, struct sql_walk* walk) {
  if (sql_is_kv_call((Node*)call)) {
    sql_record_kv_scalar(call, walk);
    return false;
  }
  if (sql_is_set_config((Node*)call)) sql_record_set_config(call, false, walk);
  sql_record_function(call, walk);
  return visit_children((Node*)call, walk);
}

// `rest`: a copy of the statement, in which neither the target nor WITH stands, as both are no ordinary
// sources. `shows`: what was in the target before can be seen in what comes out.
static bool visit_write(Node* rest, const RangeVar* target, const WithClause* with, bool shows,
                        struct sql_walk* walk) {
  walk->statement->is_read_only = false;
  sql_record_update_target(target, walk);
  sql_record_relation(target, SQL_USE_WRITE | (shows ? SQL_USE_READ : 0U), walk);
  const struct sql_scope outer = sql_enter_with(with, walk);
  visit_children(rest, walk);
  walk->scope = outer;
  return false;
}

static bool visit_insert(const InsertStmt* insert, struct sql_walk* walk) {
  InsertStmt rest = *insert;
  rest.relation = NULL;
  rest.withClause = NULL;
  const bool shows = insert->onConflictClause != NULL || insert->returningClause != NULL;
  return visit_write((Node*)&rest, insert->relation, insert->withClause, shows, walk);
}

static bool visit_update(const UpdateStmt* update, struct sql_walk* walk) {
  UpdateStmt rest = *update;
  rest.relation = NULL;
  rest.withClause = NULL;
  return visit_write((Node*)&rest, update->relation, update->withClause, true, walk);
}

static bool visit_delete(const DeleteStmt* delete, struct sql_walk* walk) {
  DeleteStmt rest = *delete;
  rest.relation = NULL;
  rest.withClause = NULL;
  return visit_write((Node*)&rest, delete->relation, delete->withClause, true, walk);
}

static bool visit_merge(const MergeStmt* merge, struct sql_walk* walk) {
  MergeStmt rest = *merge;
  rest.relation = NULL;
  rest.withClause = NULL;
  return visit_write((Node*)&rest, merge->relation, merge->withClause, true, walk);
}

// Calls that stand alone in a select list without a name of their own: the column is called after the
// function, so whatever replaces the call has to be given that name.
static void note_bare_targets(const SelectStmt* select, struct sql_walk* walk) {
  ListCell* cell;
  foreach (cell, select->targetList) {
    const ResTarget* target = lfirst(cell);
    if (IsA(target, ResTarget) && target->name == NULL && sql_is_kv_call(target->val))
      walk->bare_targets = lappend(walk->bare_targets, target->val);
  }
}

static bool visit_select(SelectStmt* select, struct sql_walk* walk) {
  // FOR UPDATE, FOR SHARE and the like write the row's header.
  if (select->intoClause != NULL || select->lockingClause != NIL)
    walk->statement->is_read_only = false;
  note_bare_targets(select, walk);
  const Node* outer = walk->conditions;
  walk->conditions = NULL;
  const struct sql_scope outer_scope = sql_enter_with(select->withClause, walk);
  walk->conditions = select->whereClause;
  sql_visit((Node*)select->targetList, walk);
  walk->conditions = NULL;
  SelectStmt rest = *select;
  rest.targetList = NIL;
  rest.withClause = NULL;
  rest.lockingClause = NIL;  // names what stands in FROM once more
  visit_children((Node*)&rest, walk);
  walk->conditions = outer;
  walk->scope = outer_scope;
  return false;
}

static void visit_into(const IntoClause* into, struct sql_walk* walk) {
  sql_record_new_relation(into->rel, into->onCommit == ONCOMMIT_DROP, walk);
}

bool sql_visit(Node* node, void* context) {
  struct sql_walk* walk = context;
  if (node == NULL) return false;
  switch (nodeTag(node)) {
    case T_FuncCall: return visit_call((FuncCall*)node, walk);
    case T_RangeFunction: visit_range_function((RangeFunction*)node, walk); return false;
    case T_SelectStmt: return visit_select((SelectStmt*)node, walk);
    case T_InsertStmt: return visit_insert((InsertStmt*)node, walk);
    case T_UpdateStmt: return visit_update((UpdateStmt*)node, walk);
    case T_DeleteStmt: return visit_delete((DeleteStmt*)node, walk);
    case T_MergeStmt: return visit_merge((MergeStmt*)node, walk);
    case T_RangeVar: sql_record_source((RangeVar*)node, walk); return false;
    case T_IntoClause: visit_into((IntoClause*)node, walk); return false;
    default: return visit_children(node, walk);
  }
}
