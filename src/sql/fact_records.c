// SPDX-License-Identifier: Apache-2.0
//
// What is told of a statement as Facts: names of relations and functions, each once, and what pins the
// session to its link. A text of many names costs no more than its length: lists are bounded.

#include "sql/tree_walk.h"

#include <catalog/pg_class.h>
#include <miscadmin.h>

#include <string.h>

void sql_add_pin(struct sql_walk* walk, unsigned pin) { walk->statement->facts.pins |= pin; }

// ---- names ----

static uint32_t hash_text(uint32_t hash, const char* text) {
  if (text != NULL)
    for (; *text != '\0'; ++text) hash = (hash ^ (unsigned char)*text) * 16777619U;
  return (hash ^ '.') * 16777619U;  // FNV-1a
}

static uint32_t hash_name(const struct sql_name* name) {
  const uint32_t hash = hash_text(hash_text(2166136261U, name->catalog), name->schema);
  return hash_text(hash, name->name);
}

static bool same_text(const char* a, const char* b) {
  return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

// The record of `wanted` in `names`, its own or a new one; NULL: the list is full.
static struct sql_name* find_or_add(struct sql_names* names, struct sql_name* wanted) {
  wanted->hash = hash_name(wanted);
  for (struct sql_name* known = names->first; known != NULL; known = known->next) {
    if (known->hash == wanted->hash && same_text(known->name, wanted->name) &&
        same_text(known->schema, wanted->schema) && same_text(known->catalog, wanted->catalog))
      return known;
  }
  if (names->count == SQL_FACT_NAMES) {
    names->has_more = true;
    return NULL;
  }
  struct sql_name* added = palloc(sizeof *added);
  *added = *wanted;
  added->next = names->first;
  names->first = added;
  ++names->count;
  return added;
}

// ---- relations ----

// The system's own relations bring only the system's code with them, as long as nobody writes to them.
static bool brings_no_code(const struct sql_name* relation, unsigned uses) {
  return uses == SQL_USE_READ && same_text(relation->schema, "pg_catalog");
}

static void record_relation(struct sql_name* relation, unsigned uses, struct sql_walk* walk) {
  struct sql_name* record = find_or_add(&walk->statement->facts.relations, relation);
  if (record != NULL) record->uses |= uses;
  if (walk->is_planned && !brings_no_code(relation, uses)) sql_add_pin(walk, SQL_PIN_HIDDEN_CODE);
}

void sql_record_relation(const RangeVar* relation, unsigned uses, struct sql_walk* walk) {
  if (relation == NULL) return;
  struct sql_name name = {
      .catalog = relation->catalogname, .schema = relation->schemaname, .name = relation->relname};
  record_relation(&name, uses, walk);
}

void sql_record_relation_name(const List* names, int surplus, unsigned uses,
                              struct sql_walk* walk) {
  const int count = list_length(names) - surplus;
  if (count < 1) return;
  struct sql_name name = {.name = strVal(list_nth(names, count - 1))};
  if (count > 1) name.schema = strVal(list_nth(names, count - 2));
  if (count > 2) name.catalog = strVal(list_nth(names, count - 3));
  record_relation(&name, uses, walk);
}

bool sql_is_temporary_schema(const char* schema) {
  return schema != NULL && (strcmp(schema, "pg_temp") == 0 || strncmp(schema, "pg_temp_", 8) == 0);
}

void sql_record_new_relation(const RangeVar* relation, bool is_dropped, struct sql_walk* walk) {
  sql_record_relation(relation, SQL_USE_DEFINE, walk);
  const bool is_temporary = relation->relpersistence == RELPERSISTENCE_TEMP ||
                            sql_is_temporary_schema(relation->schemaname);
  if (is_temporary && !is_dropped && walk->is_run) sql_add_pin(walk, SQL_PIN_TEMPORARY_OBJECT);
}

// ---- WITH ----

static void add_with_name(const char* name, struct sql_walk* walk) {
  if (walk->scope.count == SQL_FACT_NAMES) {
    walk->scope.has_more = true;
    return;
  }
  struct sql_with_name* added = palloc(sizeof *added);
  *added = (struct sql_with_name){.outer = walk->scope.names, .name = name};
  walk->scope.names = added;
  ++walk->scope.count;
}

struct sql_scope sql_enter_with(const WithClause* with, struct sql_walk* walk) {
  const struct sql_scope outer = walk->scope;
  if (with == NULL) return outer;
  check_stack_depth();  // the way down leads past PostgreSQL's walker
  ListCell* cell;
  if (with->recursive) {  // each of them sees all
    foreach (cell, with->ctes) add_with_name(lfirst_node(CommonTableExpr, cell)->ctename, walk);
  }
  foreach (cell, with->ctes) {  // otherwise each sees those before it
    const CommonTableExpr* query = lfirst_node(CommonTableExpr, cell);
    sql_visit(query->ctequery, walk);
    if (!with->recursive) add_with_name(query->ctename, walk);
  }
  return outer;
}

static bool is_with_name(const char* name, const struct sql_scope* scope) {
  for (const struct sql_with_name* known = scope->names; known != NULL; known = known->outer)
    if (strcmp(known->name, name) == 0) return true;
  return false;
}

void sql_record_source(const RangeVar* relation, struct sql_walk* walk) {
  if (relation->schemaname == NULL) {
    if (is_with_name(relation->relname, &walk->scope)) return;
    if (walk->scope.has_more) {
      walk->statement->facts.relations.has_more = true;
      if (walk->is_planned) sql_add_pin(walk, SQL_PIN_HIDDEN_CODE);
      return;
    }
  }
  sql_record_relation(relation, SQL_USE_READ, walk);
}

// ---- functions ----

// Planning runs no volatile function: of those that are known only what a run does counts.
static void add_function_pins(unsigned pins, struct sql_walk* walk) {
  if (walk->is_run) sql_add_pin(walk, pins);
  if (walk->is_planned) sql_add_pin(walk, pins & SQL_PIN_UNKNOWN);
}

void sql_record_function(const FuncCall* call, struct sql_walk* walk) {
  const int count = list_length(call->funcname);
  struct sql_name wanted = {.name = strVal(llast(call->funcname))};
  if (count > 1) wanted.schema = strVal(list_nth(call->funcname, count - 2));
  struct sql_names* functions = &walk->statement->facts.functions;
  const int known = functions->count;
  struct sql_name* record = find_or_add(functions, &wanted);
  if (record == NULL) record = &wanted;
  if (record == &wanted || functions->count > known)
    record->pins = sql_function_pins(record->schema, record->name);
  add_function_pins(record->pins, walk);
}

// ---- the statement itself ----

// The query that the statement is, or that it explains, prepares, declares, copies or makes a table of.
static const Node* outermost_query(const Node* node) {
  for (;;) {
    const Node* inner = NULL;
    switch (nodeTag(node)) {
      case T_ExplainStmt: inner = ((const ExplainStmt*)node)->query; break;
      case T_PrepareStmt: inner = ((const PrepareStmt*)node)->query; break;
      case T_DeclareCursorStmt: inner = ((const DeclareCursorStmt*)node)->query; break;
      case T_CopyStmt: inner = ((const CopyStmt*)node)->query; break;
      case T_CreateTableAsStmt: inner = ((const CreateTableAsStmt*)node)->query; break;
      default: break;
    }
    if (inner == NULL) return node;
    node = inner;
  }
}

static enum sql_answer answer(bool value) { return value ? SQL_YES : SQL_NO; }

static void note_select_clauses(const SelectStmt* select, struct sql_facts* facts) {
  const bool is_all = select->limitCount == NULL || sql_is_null_constant(select->limitCount);
  facts->has_limit = answer(!is_all);
  if (select->op == SETOP_NONE && select->valuesLists == NIL)
    facts->has_where = answer(select->whereClause != NULL);
}

static void note_clauses(const Node* query, struct sql_facts* facts) {
  switch (nodeTag(query)) {
    case T_SelectStmt: note_select_clauses((const SelectStmt*)query, facts); return;
    case T_UpdateStmt:
      facts->has_where = answer(((const UpdateStmt*)query)->whereClause != NULL);
      return;
    case T_DeleteStmt:
      facts->has_where = answer(((const DeleteStmt*)query)->whereClause != NULL);
      return;
    case T_CopyStmt:
      if (((const CopyStmt*)query)->is_from)
        facts->has_where = answer(((const CopyStmt*)query)->whereClause != NULL);
      return;
    default: return;
  }
}

// Pins of the statement's own node. It is not EXPLAIN, which makes no cursor and no prepared statement.
static unsigned pins_of(const Node* node) {
  switch (nodeTag(node)) {
    case T_ListenStmt: return SQL_PIN_LISTEN;
    case T_PrepareStmt: return SQL_PIN_PREPARED_STATEMENT;
    case T_LoadStmt: return SQL_PIN_LIBRARY;
    case T_DeclareCursorStmt:
      return (((const DeclareCursorStmt*)node)->options & CURSOR_OPT_HOLD) != 0
                 ? SQL_PIN_HOLDABLE_CURSOR
                 : 0;
    case T_DiscardStmt:
      return ((const DiscardStmt*)node)->target == DISCARD_ALL ? SQL_PIN_SETTING : 0;
    case T_CallStmt:
    case T_DoStmt:
    case T_CreateExtensionStmt:
    case T_AlterExtensionStmt:
    case T_CreatePLangStmt: return SQL_PIN_UNKNOWN;
    default: return 0;
  }
}

static unsigned pins_of_kind(enum sql_kind kind) {
  switch (kind) {
    case SQL_KIND_VACUUM:
    case SQL_KIND_ANALYZE:
    case SQL_KIND_MAINTENANCE:
    case SQL_KIND_GRANT:
    case SQL_KIND_DDL: return SQL_PIN_HIDDEN_CODE;
    case SQL_KIND_OTHER: return SQL_PIN_UNKNOWN;
    default: return 0;
  }
}

void sql_complete_facts(const Node* node, struct sql_walk* walk) {
  struct sql_facts* facts = &walk->statement->facts;
  const enum sql_name_op name_op = walk->statement->name_op;
  facts->kind = sql_statement_kind(node);
  facts->pins |= pins_of(node) | pins_of_kind(facts->kind);
  if (name_op == SQL_NAME_EXECUTE) facts->pins |= SQL_PIN_UNKNOWN;
  // What runs is written elsewhere, or in another language.
  if (name_op == SQL_NAME_EXECUTE || name_op == SQL_NAME_FETCH || IsA(node, DoStmt))
    facts->relations.has_more = facts->functions.has_more = true;
  note_clauses(outermost_query(node), facts);
}
