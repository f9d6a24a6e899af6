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
  return visit_children((Node*)call, walk);
}

static bool visit_write(Node* node, const RangeVar* target, struct sql_walk* walk) {
  walk->statement->is_read_only = false;
  sql_record_update_target(target, walk);
  return visit_children(node, walk);
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
  walk->conditions = select->whereClause;
  sql_visit((Node*)select->targetList, walk);
  walk->conditions = NULL;
  SelectStmt rest = *select;
  rest.targetList = NIL;
  visit_children((Node*)&rest, walk);
  walk->conditions = outer;
  return false;
}

bool sql_visit(Node* node, void* context) {
  struct sql_walk* walk = context;
  if (node == NULL) return false;
  switch (nodeTag(node)) {
    case T_FuncCall: return visit_call((FuncCall*)node, walk);
    case T_RangeFunction: visit_range_function((RangeFunction*)node, walk); return false;
    case T_SelectStmt: return visit_select((SelectStmt*)node, walk);
    case T_InsertStmt: return visit_write(node, ((InsertStmt*)node)->relation, walk);
    case T_UpdateStmt: return visit_write(node, ((UpdateStmt*)node)->relation, walk);
    case T_DeleteStmt: return visit_write(node, ((DeleteStmt*)node)->relation, walk);
    case T_MergeStmt: return visit_write(node, ((MergeStmt*)node)->relation, walk);
    default: return visit_children(node, walk);
  }
}
