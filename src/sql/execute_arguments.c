// SPDX-License-Identifier: Apache-2.0
//
// The arguments of EXECUTE, where they can be read off the text: constants, with a sign, under one cast, in
// an ARRAY. Each as the text that a client would bind for it.

#include "sql/tree_walk.h"

#include <miscadmin.h>

#include <string.h>

// `in_array`: a string is quoted as array_in() reads it back.
static bool append_value(StringInfo out, const Node* node, bool in_array);

static void append_quoted(StringInfo out, const char* text) {
  appendStringInfoChar(out, '"');
  for (; *text != '\0'; ++text) {
    if (*text == '"' || *text == '\\') appendStringInfoChar(out, '\\');
    appendStringInfoChar(out, *text);
  }
  appendStringInfoChar(out, '"');
}

static bool append_constant(StringInfo out, const A_Const* constant, bool in_array) {
  switch (nodeTag(&constant->val)) {
    case T_Integer: appendStringInfo(out, "%d", constant->val.ival.ival); return true;
    case T_Float: appendStringInfoString(out, constant->val.fval.fval); return true;
    case T_Boolean:
      appendStringInfoString(out, constant->val.boolval.boolval ? "true" : "false");
      return true;
    case T_BitString: appendStringInfoString(out, constant->val.bsval.bsval); return true;
    case T_String:
      if (in_array)
        append_quoted(out, constant->val.sval.sval);
      else
        appendStringInfoString(out, constant->val.sval.sval);
      return true;
    default: return false;
  }
}

static bool is_number(const Node* node) {
  if (!IsA(node, A_Const) || ((const A_Const*)node)->isnull) return false;
  const Node* value = (const Node*)&((const A_Const*)node)->val;
  return IsA(value, Integer) || IsA(value, Float);
}

// -1 is a constant to the grammar; +1 and - -1 are operators.
static bool append_signed(StringInfo out, const A_Expr* expression) {
  if (expression->kind != AEXPR_OP || expression->lexpr != NULL) return false;
  const bool is_minus = sql_names_are(expression->name, NULL, "-");
  if (!is_minus && !sql_names_are(expression->name, NULL, "+")) return false;
  if (!is_number(expression->rexpr)) return false;
  const int begin = out->len;
  appendStringInfoChar(out, '-');
  append_constant(out, (const A_Const*)expression->rexpr, false);
  const bool is_negative = out->data[begin + 1] == '-';
  const int surplus = is_minus ? (is_negative ? 2 : 0) : 1;
  memmove(out->data + begin, out->data + begin + surplus, (size_t)(out->len - begin - surplus) + 1);
  out->len -= surplus;
  return true;
}

static bool append_array(StringInfo out, const A_ArrayExpr* array) {
  check_stack_depth();
  appendStringInfoChar(out, '{');
  ListCell* cell;
  foreach (cell, array->elements) {
    if (cell != list_head(array->elements)) appendStringInfoChar(out, ',');
    if (sql_is_null_constant(lfirst(cell)))
      appendStringInfoString(out, "NULL");
    else if (!append_value(out, lfirst(cell), true))
      return false;
  }
  appendStringInfoChar(out, '}');
  return true;
}

// A cast reads the text as the type's input function does. With a modifier (interval '1' hour, char(3)) or
// on top of another cast it would be another value.
static const Node* below_cast(const Node* node) {
  if (!IsA(node, TypeCast) || ((const TypeCast*)node)->typeName->typmods != NIL) return node;
  return ((const TypeCast*)node)->arg;
}

// False: it is not a constant, and what was appended means nothing. Requires: it is not the null value.
static bool append_value(StringInfo out, const Node* node, bool in_array) {
  node = below_cast(node);
  switch (nodeTag(node)) {
    case T_A_Const:
      return !((const A_Const*)node)->isnull &&
             append_constant(out, (const A_Const*)node, in_array);
    case T_A_Expr: return append_signed(out, (const A_Expr*)node);
    case T_A_ArrayExpr: return append_array(out, (const A_ArrayExpr*)node);
    default: return false;
  }
}

static void read_argument(const Node* node, StringInfo text, struct sql_argument* argument) {
  if (sql_is_null_constant(node)) {
    argument->is_constant = true;
    return;
  }
  resetStringInfo(text);
  if (!append_value(text, node, false)) return;
  argument->is_constant = true;
  argument->text = pstrdup(text->data);
}

void sql_record_arguments(const ExecuteStmt* execute, struct sql_walk* walk) {
  if (execute->params == NIL) return;
  struct sql_argument** tail = &walk->statement->arguments;
  StringInfoData text;
  initStringInfo(&text);
  ListCell* cell;
  foreach (cell, execute->params) {
    struct sql_argument* argument = palloc0(sizeof *argument);
    read_argument(lfirst(cell), &text, argument);
    *tail = argument;
    tail = &argument->next;
  }
  pfree(text.data);
}
