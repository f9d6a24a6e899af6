// SPDX-License-Identifier: Apache-2.0
//
// What each kind of statement is to the proxy, by its parse node.

#include "sql/tree_walk.h"

#include <string.h>

static enum sql_transaction_op transaction_op(TransactionStmtKind kind) {
  switch (kind) {
    case TRANS_STMT_BEGIN:
    case TRANS_STMT_START: return SQL_TRANSACTION_BEGIN;
    case TRANS_STMT_COMMIT: return SQL_TRANSACTION_COMMIT;
    case TRANS_STMT_ROLLBACK: return SQL_TRANSACTION_ROLLBACK;
    case TRANS_STMT_SAVEPOINT: return SQL_TRANSACTION_SAVEPOINT;
    case TRANS_STMT_RELEASE: return SQL_TRANSACTION_RELEASE;
    case TRANS_STMT_ROLLBACK_TO: return SQL_TRANSACTION_ROLLBACK_TO;
    case TRANS_STMT_PREPARE: return SQL_TRANSACTION_PREPARE;
    case TRANS_STMT_COMMIT_PREPARED:
    case TRANS_STMT_ROLLBACK_PREPARED: return SQL_TRANSACTION_FINISH_PREPARED;
  }
  return SQL_TRANSACTION_NONE;
}

static void read_transaction(const TransactionStmt* transaction, struct sql_statement* statement) {
  statement->touches_session = true;
  statement->transaction = transaction_op(transaction->kind);
  statement->is_chained = transaction->chain;
  statement->savepoint = transaction->savepoint_name;
  statement->is_session_statement = statement->transaction != SQL_TRANSACTION_PREPARE &&
                                    statement->transaction != SQL_TRANSACTION_FINISH_PREPARED;
}

static void read_discard(const DiscardStmt* discard, struct sql_walk* walk) {
  walk->statement->touches_session = true;
  walk->statement->is_session_statement = true;
  if (discard->target != DISCARD_ALL) return;
  walk->statement->name_op = SQL_NAME_DISCARD_ALL;
  sql_record_change(walk, SQL_CHANGE_DISCARD_ALL, NULL, NULL);
}

static void record_name(struct sql_walk* walk, enum sql_name_op op, const char* name) {
  walk->statement->name_op = op;
  walk->statement->name = name;
}

// `all`: what it is where no name is given.
static void record_end_of_name(struct sql_walk* walk, enum sql_name_op one, enum sql_name_op all,
                               const char* name) {
  record_name(walk, name == NULL ? all : one, name);
}

// Statements that only manage the session. Returns false for any other.
static bool read_session_statement(Node* node, struct sql_walk* walk) {
  switch (nodeTag(node)) {
    case T_TransactionStmt: read_transaction((TransactionStmt*)node, walk->statement); return true;
    case T_DiscardStmt: read_discard((DiscardStmt*)node, walk); return true;
    case T_VariableSetStmt:
      walk->statement->is_session_statement = true;
      sql_record_set((VariableSetStmt*)node, walk);
      return true;
    case T_VariableShowStmt:
      walk->statement->is_session_statement = true;
      walk->statement->is_read_only = true;
      return true;
    case T_PrepareStmt:
      walk->statement->is_session_statement = true;
      record_name(walk, SQL_NAME_PREPARE, ((PrepareStmt*)node)->name);
      walk->is_run = false;
      walk->is_planned = false;
      walk->is_stored = true;
      walk->kv_problem = "helios.kv() is not supported in PREPARE yet";
      sql_visit(((PrepareStmt*)node)->query, walk);
      walk->statement->is_read_only = false;
      return true;
    case T_DeallocateStmt:
      walk->statement->is_session_statement = true;
      record_end_of_name(walk, SQL_NAME_DEALLOCATE, SQL_NAME_DEALLOCATE_ALL,
                         ((DeallocateStmt*)node)->name);
      return true;
    case T_ListenStmt:
    case T_UnlistenStmt: walk->statement->is_session_statement = true; return true;
    default: return false;
  }
}

// Has no function call and no subquery in it, so it gives exactly one value without side effects.
static bool find_activity(Node* node, void* context) {
  if (node == NULL) return false;
  if (IsA(node, FuncCall) || IsA(node, SubLink)) return true;
  return raw_expression_tree_walker(node, find_activity, context);
}

static bool is_bare(const SelectStmt* select) {
  return select->op == SETOP_NONE && select->targetList != NIL && select->distinctClause == NIL &&
         select->intoClause == NULL && select->fromClause == NIL && select->whereClause == NULL &&
         select->groupClause == NIL && select->havingClause == NULL &&
         select->windowClause == NIL && select->valuesLists == NIL && select->sortClause == NIL &&
         select->limitOffset == NULL && select->limitCount == NULL &&
         select->lockingClause == NIL && select->withClause == NULL;
}

// SELECT set_config(...), set_config(...), 1: one row, so each call runs exactly once and in order.
// A function beside them might return a set, and no row at all.
static bool runs_targets_once(const SelectStmt* select) {
  if (!is_bare(select)) return false;
  ListCell* cell;
  foreach (cell, select->targetList) {
    Node* value = ((ResTarget*)lfirst(cell))->val;
    if (sql_is_set_config(value)) {
      const FuncCall* call = (const FuncCall*)value;
      if (call->agg_order != NIL || call->agg_filter != NULL || call->over != NULL) return false;
      value = (Node*)call->args;
    }
    if (find_activity(value, NULL)) return false;
  }
  return true;
}

static bool selects_into(const SelectStmt* select) {
  while (select->op != SETOP_NONE) select = select->larg;
  return select->intoClause != NULL;
}

static void read_select(SelectStmt* select, struct sql_walk* walk) {
  walk->statement->is_read_only = true;  // until the walk finds a write
  if (runs_targets_once(select)) {
    ListCell* cell;
    foreach (cell, select->targetList) {
      Node* value = ((ResTarget*)lfirst(cell))->val;
      if (!sql_is_set_config(value)) continue;
      sql_record_set_config((FuncCall*)value, true, walk);
      sql_record_function((FuncCall*)value, walk);
    }
    sql_check_bound_changes(select->targetList, walk);
    return;
  }
  if (selects_into(select))
    walk->kv_problem = "helios.kv() can't be used in SELECT INTO: the result would be frozen";
  sql_visit((Node*)select, walk);
}

static void read_statement(Node* node, struct sql_walk* walk);

// An option's value as the server's defGetBoolean() reads it; what that refuses counts as true.
static bool option_is_on(const DefElem* option) {
  if (option->arg == NULL) return true;
  if (IsA(option->arg, Integer)) return intVal(option->arg) != 0;
  if (!IsA(option->arg, String)) return true;
  return pg_strcasecmp(strVal(option->arg), "false") != 0 &&
         pg_strcasecmp(strVal(option->arg), "off") != 0;
}

static bool runs_explained(const ExplainStmt* explain) {
  ListCell* cell;
  foreach (cell, explain->options) {
    const DefElem* option = lfirst(cell);
    if (strcmp(option->defname, "analyze") == 0 && option_is_on(option)) return true;
  }
  return false;
}

// EXPLAIN of an EXECUTE evaluates its arguments and plans what it names, which runs functions: also without ANALYZE.
static bool explains_execute(const ExplainStmt* explain) {
  const Node* query = explain->query;
  if (IsA(query, CreateTableAsStmt)) query = ((const CreateTableAsStmt*)query)->query;
  return IsA(query, ExecuteStmt);
}

static void read_explain(const ExplainStmt* explain, struct sql_walk* walk) {
  const bool is_run = runs_explained(explain) || explains_execute(explain);
  walk->is_run = walk->is_run && is_run;
  // EXPLAIN shows at most what one set_config() did; how often it ran is not looked into.
  if (IsA(explain->query, SelectStmt))
    sql_visit(explain->query, walk);
  else
    read_statement(explain->query, walk);
  if (IsA(explain->query, ExecuteStmt)) walk->statement->is_nested_execute = true;
  // It runs the cursor's query, if at all, and makes no cursor.
  if (walk->statement->name_op == SQL_NAME_DECLARE) {
    record_name(walk, SQL_NAME_NONE, NULL);
    walk->statement->is_holdable = false;
  }
  walk->statement->is_read_only = !is_run;
}

static void read_create_table_as(const CreateTableAsStmt* create, struct sql_walk* walk) {
  walk->kv_problem = "helios.kv() can't be used in CREATE ... AS: the result would be frozen";
  sql_visit((Node*)create->into, walk);
  if (IsA(create->query, ExecuteStmt)) {
    read_statement(create->query, walk);
    walk->statement->is_nested_execute = true;
  } else {
    sql_visit(create->query, walk);
  }
}

static void read_copy(const CopyStmt* copy, struct sql_walk* walk) {
  walk->statement->reads_copy_data = copy->is_from && copy->filename == NULL;
  sql_record_relation(copy->relation, copy->is_from ? SQL_USE_WRITE : SQL_USE_READ, walk);
  if (copy->whereClause != NULL) {
    walk->kv_problem = "helios.kv() can't be used in COPY FROM";
    sql_visit(copy->whereClause, walk);
  }
  sql_visit(copy->query, walk);
}

static void read_call_arguments(Node* arguments, struct sql_walk* walk) {
  walk->kv_problem = "helios.kv() can't be used in the arguments of CALL or EXECUTE";
  sql_visit(arguments, walk);
}

static void read_statement(Node* node, struct sql_walk* walk) {
  switch (nodeTag(node)) {
    case T_SelectStmt: read_select((SelectStmt*)node, walk); return;
    case T_InsertStmt:
    case T_UpdateStmt:
    case T_DeleteStmt:
    case T_MergeStmt: sql_visit(node, walk); return;
    case T_ExplainStmt: read_explain((ExplainStmt*)node, walk); return;
    case T_CopyStmt: read_copy((CopyStmt*)node, walk); break;
    case T_DeclareCursorStmt:
      record_name(walk, SQL_NAME_DECLARE, ((DeclareCursorStmt*)node)->portalname);
      walk->statement->is_holdable = (((DeclareCursorStmt*)node)->options & CURSOR_OPT_HOLD) != 0;
      walk->is_stored = true;
      sql_visit(((DeclareCursorStmt*)node)->query, walk);
      break;
    case T_FetchStmt:
      record_name(walk, SQL_NAME_FETCH, ((FetchStmt*)node)->portalname);
      sql_record_recall(walk);
      break;
    case T_DoStmt: sql_record_do((DoStmt*)node, walk); break;
    case T_CreateTableAsStmt: read_create_table_as((CreateTableAsStmt*)node, walk); break;
    case T_ClosePortalStmt:
      record_end_of_name(walk, SQL_NAME_CLOSE, SQL_NAME_CLOSE_ALL,
                         ((ClosePortalStmt*)node)->portalname);
      break;
    case T_ExecuteStmt:
      record_name(walk, SQL_NAME_EXECUTE, ((ExecuteStmt*)node)->name);
      sql_record_recall(walk);
      sql_record_arguments((ExecuteStmt*)node, walk);
      read_call_arguments((Node*)((ExecuteStmt*)node)->params, walk);
      break;
    case T_CallStmt: read_call_arguments((Node*)((CallStmt*)node)->funccall, walk); break;
    default:
      if (read_session_statement(node, walk)) return;
      walk->kv_problem =
          "helios.kv() can't be used in DDL: the result would be frozen, or read "
          "later by others";
      sql_visit_definition(node, walk);
      break;
  }
  walk->statement->is_read_only = false;
}

static bool detaches_concurrently(const AlterTableStmt* alter) {
  ListCell* cell;
  foreach (cell, alter->cmds) {
    const AlterTableCmd* command = lfirst(cell);
    if (command->subtype == AT_DetachPartition && ((PartitionCmd*)command->def)->concurrent)
      return true;
  }
  return false;
}

// PostgreSQL's PreventInTransactionBlock(), in any form of the statement, and procedures.
static bool may_commit_itself(const Node* node) {
  switch (nodeTag(node)) {
    case T_CallStmt:
    case T_DoStmt:
    case T_VacuumStmt:
    case T_ClusterStmt:
    case T_ReindexStmt:
    case T_CreatedbStmt:
    case T_DropdbStmt:
    case T_AlterDatabaseStmt:
    case T_CreateTableSpaceStmt:
    case T_DropTableSpaceStmt:
    case T_AlterSystemStmt:
    case T_CreateSubscriptionStmt:
    case T_AlterSubscriptionStmt:
    case T_DropSubscriptionStmt: return true;
    case T_IndexStmt: return ((const IndexStmt*)node)->concurrent;
    case T_DropStmt: return ((const DropStmt*)node)->concurrent;
    case T_AlterTableStmt: return detaches_concurrently((const AlterTableStmt*)node);
    case T_DiscardStmt: return ((const DiscardStmt*)node)->target == DISCARD_ALL;
    case T_TransactionStmt: {
      const TransactionStmtKind kind = ((const TransactionStmt*)node)->kind;
      return kind == TRANS_STMT_COMMIT_PREPARED || kind == TRANS_STMT_ROLLBACK_PREPARED;
    }
    default: return false;
  }
}

static struct sql_statement* read_raw_statement(const RawStmt* raw) {
  struct sql_statement* statement = palloc0(sizeof *statement);
  struct sql_walk walk = {.statement = statement, .is_run = true, .is_planned = true};
  statement->location = raw->stmt_location;
  statement->length = raw->stmt_len;
  read_statement(raw->stmt, &walk);
  statement->may_commit_itself = may_commit_itself(raw->stmt);
  // They may roll back, too, what was set in front of them in their pipeline.
  if (IsA(raw->stmt, CallStmt) || IsA(raw->stmt, DoStmt)) statement->touches_session = true;
  sql_complete_facts(raw->stmt, &walk);
  return statement;
}

struct sql_statement* sql_read_statements(const List* raw_statements) {
  struct sql_statement* first = NULL;
  struct sql_statement** tail = &first;
  ListCell* cell;
  foreach (cell, raw_statements) {
    *tail = read_raw_statement(lfirst_node(RawStmt, cell));
    tail = &(*tail)->next;
  }
  return first;
}
