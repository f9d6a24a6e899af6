// SPDX-License-Identifier: Apache-2.0
//
// The relations that a statement defines, maintains, empties or locks. They stand in fields of the
// statement's own node; those inside of expressions, queries and constraints the walk meets.

#include "sql/tree_walk.h"

#include <storage/lockdefs.h>

#include <string.h>

static void record_list(const List* relations, unsigned uses, struct sql_walk* walk) {
  ListCell* cell;
  foreach (cell, relations) {
    if (IsA(lfirst(cell), RangeVar)) sql_record_relation(lfirst(cell), uses, walk);
  }
}

static void define(const RangeVar* relation, struct sql_walk* walk) {
  sql_record_relation(relation, SQL_USE_DEFINE, walk);
}

// Relations are meant that the text does not name.
static void mean_others(struct sql_walk* walk) { walk->statement->facts.relations.has_more = true; }

static void note_new_name(const List* names, struct sql_walk* walk) {
  const int count = list_length(names);
  if (count > 1 && sql_is_temporary_schema(strVal(list_nth(names, count - 2))))
    sql_add_pin(walk, SQL_PIN_TEMPORARY_OBJECT);
}

static void note_temporary_type(const RangeVar* type, struct sql_walk* walk) {
  if (sql_is_temporary_schema(type->schemaname)) sql_add_pin(walk, SQL_PIN_TEMPORARY_OBJECT);
}

static void record_table(const CreateStmt* create, struct sql_walk* walk) {
  sql_record_new_relation(create->relation, create->oncommit == ONCOMMIT_DROP, walk);
  record_list(create->inhRelations, SQL_USE_DEFINE, walk);
}

static void record_altered(const AlterTableStmt* alter, struct sql_walk* walk) {
  if (alter->objtype == OBJECT_TYPE) return;  // a composite type
  define(alter->relation, walk);
  ListCell* cell;
  foreach (cell, alter->cmds) {
    const Node* definition = lfirst_node(AlterTableCmd, cell)->def;
    if (definition == NULL) continue;
    if (IsA(definition, PartitionCmd)) define(((const PartitionCmd*)definition)->name, walk);
    if (IsA(definition, RangeVar)) define((const RangeVar*)definition, walk);  // INHERIT
  }
}

// How many names at the end of an object's name are not its relation's; -1: the object is no part of a
// relation.
static int surplus_names(ObjectType type) {
  switch (type) {
    case OBJECT_TABLE:
    case OBJECT_FOREIGN_TABLE:
    case OBJECT_VIEW:
    case OBJECT_MATVIEW:
    case OBJECT_INDEX:
    case OBJECT_SEQUENCE: return 0;
    case OBJECT_COLUMN:
    case OBJECT_RULE:
    case OBJECT_TRIGGER:
    case OBJECT_POLICY:
    case OBJECT_TABCONSTRAINT: return 1;
    default: return -1;
  }
}

static void record_object(ObjectType type, const Node* object, struct sql_walk* walk) {
  const int surplus = surplus_names(type);
  if (surplus >= 0 && object != NULL && IsA(object, List))
    sql_record_relation_name((const List*)object, surplus, SQL_USE_DEFINE, walk);
}

static void record_dropped(const DropStmt* drop, struct sql_walk* walk) {
  if (drop->removeType == OBJECT_SCHEMA || drop->removeType == OBJECT_EXTENSION) mean_others(walk);
  ListCell* cell;
  foreach (cell, drop->objects) record_object(drop->removeType, lfirst(cell), walk);
}

static void record_granted(const GrantStmt* grant, struct sql_walk* walk) {
  if (grant->objtype != OBJECT_TABLE && grant->objtype != OBJECT_SEQUENCE) return;
  if (grant->targtype == ACL_TARGET_OBJECT)
    record_list(grant->objects, SQL_USE_DEFINE, walk);
  else
    mean_others(walk);
}

static void record_publication(bool for_all, const List* objects, struct sql_walk* walk) {
  if (for_all) mean_others(walk);
  ListCell* cell;
  foreach (cell, objects) {
    const PublicationObjSpec* object = lfirst_node(PublicationObjSpec, cell);
    if (object->pubtable != NULL)
      define(object->pubtable->relation, walk);
    else
      mean_others(walk);  // all tables of a schema
  }
}

static void record_vacuum(const VacuumStmt* vacuum, struct sql_walk* walk) {
  if (vacuum->rels == NIL) mean_others(walk);
  ListCell* cell;
  foreach (cell, vacuum->rels) define(lfirst_node(VacuumRelation, cell)->relation, walk);
}

// CLUSTER and REINDEX without a relation do a whole schema or database.
static void record_maintained(const RangeVar* relation, struct sql_walk* walk) {
  if (relation == NULL) mean_others(walk);
  define(relation, walk);
}

// OWNED BY table.column; OWNED BY NONE is one name.
static void record_sequence_owner(const List* options, struct sql_walk* walk) {
  ListCell* cell;
  foreach (cell, options) {
    const DefElem* option = lfirst_node(DefElem, cell);
    if (strcmp(option->defname, "owned_by") == 0)
      sql_record_relation_name((const List*)option->arg, 1, SQL_USE_DEFINE, walk);
  }
}

static void record_lock(const LockStmt* lock, struct sql_walk* walk) {
  record_list(lock->relations, lock->mode > RowShareLock ? SQL_USE_WRITE : SQL_USE_READ, walk);
}

static void record_renamed(const RenameStmt* rename, struct sql_walk* walk) {
  if (rename->relationType != OBJECT_TYPE) define(rename->relation, walk);
}

// Things that are no relations, but may be temporary.
static void record_other(const Node* node, struct sql_walk* walk) {
  switch (nodeTag(node)) {
    case T_DefineStmt: note_new_name(((const DefineStmt*)node)->defnames, walk); return;
    case T_CreateFunctionStmt:
      note_new_name(((const CreateFunctionStmt*)node)->funcname, walk);
      return;
    case T_CreateDomainStmt:
      note_new_name(((const CreateDomainStmt*)node)->domainname, walk);
      return;
    case T_CreateEnumStmt: note_new_name(((const CreateEnumStmt*)node)->typeName, walk); return;
    case T_CreateRangeStmt: note_new_name(((const CreateRangeStmt*)node)->typeName, walk); return;
    case T_CreateConversionStmt:
      note_new_name(((const CreateConversionStmt*)node)->conversion_name, walk);
      return;
    case T_CreateOpClassStmt:
      note_new_name(((const CreateOpClassStmt*)node)->opclassname, walk);
      return;
    case T_CreateOpFamilyStmt:
      note_new_name(((const CreateOpFamilyStmt*)node)->opfamilyname, walk);
      return;
    case T_CompositeTypeStmt:
      note_temporary_type(((const CompositeTypeStmt*)node)->typevar, walk);
      return;
    case T_AlterTableMoveAllStmt:
    case T_ImportForeignSchemaStmt:
    case T_DropOwnedStmt:
    case T_ReassignOwnedStmt: mean_others(walk); return;
    default: return;
  }
}

// What hangs on one relation.
static void record_part(const Node* node, struct sql_walk* walk) {
  switch (nodeTag(node)) {
    case T_IndexStmt: define(((const IndexStmt*)node)->relation, walk); return;
    case T_RuleStmt: define(((const RuleStmt*)node)->relation, walk); return;
    case T_CreateTrigStmt:
      define(((const CreateTrigStmt*)node)->relation, walk);
      define(((const CreateTrigStmt*)node)->constrrel, walk);
      return;
    case T_CreatePolicyStmt: define(((const CreatePolicyStmt*)node)->table, walk); return;
    case T_AlterPolicyStmt: define(((const AlterPolicyStmt*)node)->table, walk); return;
    case T_CreateStatsStmt:
      note_new_name(((const CreateStatsStmt*)node)->defnames, walk);
      record_list(((const CreateStatsStmt*)node)->relations, SQL_USE_DEFINE, walk);
      return;
    case T_AlterObjectDependsStmt:
      define(((const AlterObjectDependsStmt*)node)->relation, walk);
      return;
    case T_CreatePublicationStmt:
      record_publication(((const CreatePublicationStmt*)node)->for_all_tables,
                         ((const CreatePublicationStmt*)node)->pubobjects, walk);
      return;
    case T_AlterPublicationStmt:
      record_publication(((const AlterPublicationStmt*)node)->for_all_tables,
                         ((const AlterPublicationStmt*)node)->pubobjects, walk);
      return;
    default: record_other(node, walk); return;
  }
}

// Objects of several kinds by name.
static void record_named(const Node* node, struct sql_walk* walk) {
  switch (nodeTag(node)) {
    case T_DropStmt: record_dropped((const DropStmt*)node, walk); return;
    case T_RenameStmt: record_renamed((const RenameStmt*)node, walk); return;
    case T_AlterObjectSchemaStmt:
      define(((const AlterObjectSchemaStmt*)node)->relation, walk);
      return;
    case T_CommentStmt:
      record_object(((const CommentStmt*)node)->objtype, ((const CommentStmt*)node)->object, walk);
      return;
    case T_SecLabelStmt:
      record_object(((const SecLabelStmt*)node)->objtype, ((const SecLabelStmt*)node)->object,
                    walk);
      return;
    case T_AlterExtensionContentsStmt:
      record_object(((const AlterExtensionContentsStmt*)node)->objtype,
                    ((const AlterExtensionContentsStmt*)node)->object, walk);
      return;
    case T_GrantStmt: record_granted((const GrantStmt*)node, walk); return;
    default: record_part(node, walk); return;
  }
}

void sql_record_definition(Node* node, struct sql_walk* walk) {
  switch (nodeTag(node)) {
    case T_CreateStmt:
    case T_CreateForeignTableStmt:  // begins with a CreateStmt
      record_table((const CreateStmt*)node, walk);
      return;
    case T_ViewStmt: sql_record_new_relation(((const ViewStmt*)node)->view, false, walk); return;
    case T_CreateSeqStmt:
      sql_record_new_relation(((const CreateSeqStmt*)node)->sequence, false, walk);
      record_sequence_owner(((const CreateSeqStmt*)node)->options, walk);
      return;
    case T_AlterSeqStmt:
      define(((const AlterSeqStmt*)node)->sequence, walk);
      record_sequence_owner(((const AlterSeqStmt*)node)->options, walk);
      return;
    case T_AlterTableStmt: record_altered((const AlterTableStmt*)node, walk); return;
    case T_TruncateStmt:
      record_list(((const TruncateStmt*)node)->relations, SQL_USE_WRITE, walk);
      return;
    case T_LockStmt: record_lock((const LockStmt*)node, walk); return;
    case T_VacuumStmt: record_vacuum((const VacuumStmt*)node, walk); return;
    case T_ClusterStmt: record_maintained(((const ClusterStmt*)node)->relation, walk); return;
    case T_ReindexStmt: record_maintained(((const ReindexStmt*)node)->relation, walk); return;
    case T_RefreshMatViewStmt:
      sql_record_relation(((const RefreshMatViewStmt*)node)->relation, SQL_USE_WRITE, walk);
      return;
    default: record_named(node, walk); return;
  }
}
