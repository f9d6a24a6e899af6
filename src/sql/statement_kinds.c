// SPDX-License-Identifier: Apache-2.0
//
// Which of StatementKind a statement is.

#include "sql/tree_walk.h"

// What makes, changes or drops something. A node that stands in neither list is of another kind.
// clang-format off
static const NodeTag kDefinitions[] = {
    T_CreateSchemaStmt, T_AlterTableStmt, T_AlterCollationStmt, T_AlterDomainStmt,
    T_AlterDefaultPrivilegesStmt, T_CreateStmt, T_CreateTableSpaceStmt, T_DropTableSpaceStmt,
    T_AlterTableSpaceOptionsStmt, T_AlterTableMoveAllStmt, T_CreateExtensionStmt,
    T_AlterExtensionStmt, T_AlterExtensionContentsStmt, T_CreateFdwStmt, T_AlterFdwStmt,
    T_CreateForeignServerStmt, T_AlterForeignServerStmt, T_CreateForeignTableStmt,
    T_CreateUserMappingStmt, T_AlterUserMappingStmt, T_DropUserMappingStmt,
    T_ImportForeignSchemaStmt, T_CreatePolicyStmt, T_AlterPolicyStmt, T_CreateAmStmt,
    T_CreateTrigStmt, T_CreateEventTrigStmt, T_AlterEventTrigStmt, T_CreatePLangStmt,
    T_CreateRoleStmt, T_AlterRoleStmt, T_AlterRoleSetStmt, T_DropRoleStmt, T_CreateSeqStmt,
    T_AlterSeqStmt, T_DefineStmt, T_CreateDomainStmt, T_CreateOpClassStmt, T_CreateOpFamilyStmt,
    T_AlterOpFamilyStmt, T_DropStmt, T_CommentStmt, T_SecLabelStmt, T_IndexStmt,
    T_CreateStatsStmt, T_AlterStatsStmt, T_CreateFunctionStmt, T_AlterFunctionStmt, T_RenameStmt,
    T_AlterObjectDependsStmt, T_AlterObjectSchemaStmt, T_AlterOwnerStmt, T_AlterOperatorStmt,
    T_AlterTypeStmt, T_RuleStmt, T_CompositeTypeStmt, T_CreateEnumStmt, T_CreateRangeStmt,
    T_AlterEnumStmt, T_ViewStmt, T_CreatedbStmt, T_AlterDatabaseStmt,
    T_AlterDatabaseRefreshCollStmt, T_AlterDatabaseSetStmt, T_DropdbStmt, T_AlterSystemStmt,
    T_CreateTableAsStmt, T_CreateConversionStmt, T_CreateCastStmt, T_CreateTransformStmt,
    T_DropOwnedStmt, T_ReassignOwnedStmt, T_AlterTSDictionaryStmt, T_AlterTSConfigurationStmt,
    T_CreatePublicationStmt, T_AlterPublicationStmt, T_CreateSubscriptionStmt,
    T_AlterSubscriptionStmt, T_DropSubscriptionStmt,
};
// clang-format on

static enum sql_kind kind_of_other(NodeTag tag) {
  for (size_t i = 0; i < lengthof(kDefinitions); ++i)
    if (kDefinitions[i] == tag) return SQL_KIND_DDL;
  return SQL_KIND_OTHER;
}

enum sql_kind sql_statement_kind(const Node* node) {
  switch (nodeTag(node)) {
    case T_SelectStmt: return SQL_KIND_SELECT;
    case T_InsertStmt: return SQL_KIND_INSERT;
    case T_UpdateStmt: return SQL_KIND_UPDATE;
    case T_DeleteStmt: return SQL_KIND_DELETE;
    case T_MergeStmt: return SQL_KIND_MERGE;
    case T_TruncateStmt: return SQL_KIND_TRUNCATE;
    case T_CopyStmt:
      return ((const CopyStmt*)node)->is_from ? SQL_KIND_COPY_FROM : SQL_KIND_COPY_TO;
    case T_CallStmt: return SQL_KIND_CALL;
    case T_DoStmt: return SQL_KIND_DO_BLOCK;
    case T_ExplainStmt: return SQL_KIND_EXPLAIN;
    case T_PrepareStmt: return SQL_KIND_PREPARE;
    case T_ExecuteStmt: return SQL_KIND_EXECUTE;
    case T_DeallocateStmt: return SQL_KIND_DEALLOCATE;
    case T_DeclareCursorStmt: return SQL_KIND_DECLARE;
    case T_FetchStmt: return SQL_KIND_FETCH;
    case T_ClosePortalStmt: return SQL_KIND_CLOSE;
    case T_ListenStmt: return SQL_KIND_LISTEN;
    case T_UnlistenStmt: return SQL_KIND_UNLISTEN;
    case T_NotifyStmt: return SQL_KIND_NOTIFY;
    case T_LockStmt: return SQL_KIND_LOCK;
    case T_VacuumStmt:
      return ((const VacuumStmt*)node)->is_vacuumcmd ? SQL_KIND_VACUUM : SQL_KIND_ANALYZE;
    case T_ClusterStmt:
    case T_ReindexStmt:
    case T_RefreshMatViewStmt:
    case T_CheckPointStmt: return SQL_KIND_MAINTENANCE;
    case T_TransactionStmt: return SQL_KIND_TRANSACTION;
    case T_VariableSetStmt:
    case T_ConstraintsSetStmt: return SQL_KIND_SET;
    case T_VariableShowStmt: return SQL_KIND_SHOW;
    case T_DiscardStmt: return SQL_KIND_DISCARD;
    case T_LoadStmt: return SQL_KIND_LOAD;
    case T_GrantStmt:
    case T_GrantRoleStmt: return SQL_KIND_GRANT;
    default: return kind_of_other(nodeTag(node));
  }
}
