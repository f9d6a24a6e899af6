// SPDX-License-Identifier: Apache-2.0
//
// The expressions and queries inside statements that define something, for which PostgreSQL has no
// walker on raw parse trees. A statement that is not listed here holds no expression.

#include "sql/tree_walk.h"

static void visit_constraint(const Constraint* constraint, struct sql_walk* walk) {
  sql_record_relation(constraint->pktable, SQL_USE_DEFINE, walk);
  sql_visit(constraint->raw_expr, walk);
  sql_visit(constraint->where_clause, walk);
  ListCell* cell;
  foreach (cell, constraint->exclusions)  // pairs of an element and its operator's name
    sql_visit(linitial((List*)lfirst(cell)), walk);
}

static void visit_constraints(const List* constraints, struct sql_walk* walk) {
  ListCell* cell;
  foreach (cell, constraints) {
    if (IsA(lfirst(cell), Constraint)) visit_constraint(lfirst(cell), walk);
  }
}

static void visit_column(ColumnDef* column, struct sql_walk* walk) {
  sql_visit((Node*)column, walk);
  visit_constraints(column->constraints, walk);
}

static void visit_partition_bound(const PartitionBoundSpec* bound, struct sql_walk* walk) {
  if (bound == NULL) return;
  sql_visit((Node*)bound->listdatums, walk);
  sql_visit((Node*)bound->lowerdatums, walk);
  sql_visit((Node*)bound->upperdatums, walk);
}

static void visit_create_table(const CreateStmt* create, struct sql_walk* walk) {
  ListCell* cell;
  foreach (cell, create->tableElts) {
    if (IsA(lfirst(cell), ColumnDef)) visit_column(lfirst(cell), walk);
    if (IsA(lfirst(cell), Constraint)) visit_constraint(lfirst(cell), walk);
    if (IsA(lfirst(cell), TableLikeClause))
      sql_record_relation(((TableLikeClause*)lfirst(cell))->relation, SQL_USE_READ, walk);
  }
  visit_constraints(create->constraints, walk);
  visit_partition_bound(create->partbound, walk);
  if (create->partspec == NULL) return;
  foreach (cell, create->partspec->partParams) {
    sql_visit(((PartitionElem*)lfirst(cell))->expr, walk);
  }
}

static void visit_alter_table(const AlterTableStmt* alter, struct sql_walk* walk) {
  ListCell* cell;
  foreach (cell, alter->cmds) {
    const AlterTableCmd* command = lfirst(cell);
    if (command->def == NULL) continue;
    if (IsA(command->def, ColumnDef))
      visit_column((ColumnDef*)command->def, walk);
    else if (IsA(command->def, Constraint))
      visit_constraint((Constraint*)command->def, walk);
    else if (IsA(command->def, PartitionCmd))
      visit_partition_bound(((PartitionCmd*)command->def)->bound, walk);
    else if (command->subtype == AT_ColumnDefault || command->subtype == AT_SetExpression)
      sql_visit(command->def, walk);
  }
}

static void visit_alter_domain(const AlterDomainStmt* alter, struct sql_walk* walk) {
  if (alter->def == NULL) return;
  if (IsA(alter->def, Constraint))
    visit_constraint((Constraint*)alter->def, walk);
  else
    sql_visit(alter->def, walk);
}

static void visit_index(const IndexStmt* index, struct sql_walk* walk) {
  sql_visit((Node*)index->indexParams, walk);
  sql_visit((Node*)index->indexIncludingParams, walk);
  sql_visit(index->whereClause, walk);
}

static bool is_query(const Node* node) {
  return IsA(node, SelectStmt) || IsA(node, InsertStmt) || IsA(node, UpdateStmt) ||
         IsA(node, DeleteStmt) || IsA(node, MergeStmt);
}

// A body or a rule's action: queries, lists of them, RETURN; other statements hold no expression.
static void visit_body(Node* body, struct sql_walk* walk) {
  if (body == NULL) return;
  if (IsA(body, List)) {
    ListCell* cell;
    foreach (cell, (List*)body) visit_body(lfirst(cell), walk);
  } else if (IsA(body, ReturnStmt)) {
    sql_visit(((ReturnStmt*)body)->returnval, walk);
  } else if (is_query(body)) {
    sql_visit(body, walk);
  }
}

static void visit_function(const CreateFunctionStmt* function, struct sql_walk* walk) {
  ListCell* cell;
  foreach (cell, function->parameters) {
    sql_visit(((FunctionParameter*)lfirst(cell))->defexpr, walk);
  }
  visit_body(function->sql_body, walk);
}

static void visit_statistics(const CreateStatsStmt* statistics, struct sql_walk* walk) {
  ListCell* cell;
  foreach (cell, statistics->exprs) {
    sql_visit(((StatsElem*)lfirst(cell))->expr, walk);
  }
}

static void visit_publication(const List* objects, struct sql_walk* walk) {
  ListCell* cell;
  foreach (cell, objects) {
    const PublicationObjSpec* object = lfirst(cell);
    if (object->pubtable != NULL) sql_visit(object->pubtable->whereClause, walk);
  }
}

static void visit_rule(const RuleStmt* rule, struct sql_walk* walk) {
  sql_visit(rule->whereClause, walk);
  visit_body((Node*)rule->actions, walk);
}

static void visit_policy(Node* check, Node* qualification, struct sql_walk* walk) {
  sql_visit(qualification, walk);
  sql_visit(check, walk);
}

static void visit_schema(const CreateSchemaStmt* schema, struct sql_walk* walk) {
  ListCell* cell;
  foreach (cell, schema->schemaElts) sql_visit_definition(lfirst(cell), walk);
}

// Stores expressions that run later, if ever.
static void visit_stored(Node* node, struct sql_walk* walk) {
  walk->is_run = false;
  walk->is_planned = false;
  switch (nodeTag(node)) {
    case T_ViewStmt: sql_visit(((ViewStmt*)node)->query, walk); return;
    case T_RuleStmt: visit_rule((RuleStmt*)node, walk); return;
    case T_CreateFunctionStmt: visit_function((CreateFunctionStmt*)node, walk); return;
    case T_CreateTrigStmt: sql_visit(((CreateTrigStmt*)node)->whenClause, walk); return;
    case T_CreatePolicyStmt:
      visit_policy(((CreatePolicyStmt*)node)->with_check, ((CreatePolicyStmt*)node)->qual, walk);
      return;
    case T_AlterPolicyStmt:
      visit_policy(((AlterPolicyStmt*)node)->with_check, ((AlterPolicyStmt*)node)->qual, walk);
      return;
    default: return;
  }
}

void sql_visit_definition(Node* node, struct sql_walk* walk) {
  const bool was_run = walk->is_run;
  const bool was_planned = walk->is_planned;
  sql_record_definition(node, walk);
  switch (nodeTag(node)) {
    case T_CreateStmt:
    case T_CreateForeignTableStmt:  // begins with a CreateStmt
      visit_create_table((CreateStmt*)node, walk);
      break;
    case T_AlterTableStmt: visit_alter_table((AlterTableStmt*)node, walk); break;
    case T_CreateDomainStmt: visit_constraints(((CreateDomainStmt*)node)->constraints, walk); break;
    case T_AlterDomainStmt: visit_alter_domain((AlterDomainStmt*)node, walk); break;
    case T_IndexStmt: visit_index((IndexStmt*)node, walk); break;
    case T_CreateStatsStmt: visit_statistics((CreateStatsStmt*)node, walk); break;
    case T_CreatePublicationStmt:
      visit_publication(((CreatePublicationStmt*)node)->pubobjects, walk);
      break;
    case T_AlterPublicationStmt:
      visit_publication(((AlterPublicationStmt*)node)->pubobjects, walk);
      break;
    case T_CreateSchemaStmt: visit_schema((CreateSchemaStmt*)node, walk); break;
    default: visit_stored(node, walk); break;
  }
  walk->is_run = was_run;
  walk->is_planned = was_planned;
}
