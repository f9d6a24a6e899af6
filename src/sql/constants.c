// SPDX-License-Identifier: Apache-2.0
#include "sql/tree_walk.h"

#include <strings.h>

#include <string.h>

bool sql_names_are(const List* names, const char* schema, const char* name) {
  if (schema == NULL) return list_length(names) == 1 && strcmp(strVal(linitial(names)), name) == 0;
  return list_length(names) == 2 && strcmp(strVal(linitial(names)), schema) == 0 &&
         strcmp(strVal(lsecond(names)), name) == 0;
}

static bool is_plain_type(const TypeName* type, const char* name) {
  return type->typmods == NIL && type->arrayBounds == NIL && !type->setof && !type->pct_type &&
         (sql_names_are(type->names, NULL, name) || sql_names_are(type->names, "pg_catalog", name));
}

// Other string types cut, pad or fold the value.
static bool keeps_strings(const TypeName* type) {
  return is_plain_type(type, "text") || is_plain_type(type, "varchar");
}

static const Node* below_casts(const Node* node, bool (*is_transparent)(const TypeName*)) {
  while (node != NULL && IsA(node, TypeCast)) {
    const TypeCast* cast = (const TypeCast*)node;
    if (!is_transparent(cast->typeName)) return NULL;
    node = cast->arg;
  }
  return node;
}

static const A_Const* constant_below(const Node* node, bool (*is_transparent)(const TypeName*)) {
  node = below_casts(node, is_transparent);
  return node != NULL && IsA(node, A_Const) ? (const A_Const*)node : NULL;
}

static int parameter_below(const Node* node, bool (*is_transparent)(const TypeName*)) {
  node = below_casts(node, is_transparent);
  return node != NULL && IsA(node, ParamRef) ? ((const ParamRef*)node)->number : 0;
}

const Node* sql_below_text_casts(const Node* node) { return below_casts(node, keeps_strings); }

int sql_string_parameter(const Node* node) { return parameter_below(node, keeps_strings); }

const char* sql_string_constant(const Node* node) {
  const A_Const* constant = constant_below(node, keeps_strings);
  if (constant == NULL || constant->isnull || !IsA(&constant->val, String)) return NULL;
  return constant->val.sval.sval;
}

static bool any_type(const TypeName* type) {
  (void)type;
  return true;
}

bool sql_is_null_constant(const Node* node) {
  const A_Const* constant = constant_below(node, any_type);
  return constant != NULL && constant->isnull;
}

static bool is_bool(const TypeName* type) { return is_plain_type(type, "bool"); }

int sql_boolean_parameter(const Node* node) { return parameter_below(node, is_bool); }

static bool is_prefix(const char* text, size_t length, const char* word, size_t shortest) {
  return length >= shortest && length <= strlen(word) && strncasecmp(text, word, length) == 0;
}

// As the server's boolin(): white space around, unambiguous prefixes, any case.
static bool parse_boolean(const char* text, bool* value) {
  static const char kSpace[] = " \t\n\r\f\v";
  text += strspn(text, kSpace);
  size_t length = strlen(text);
  while (length > 0 && strchr(kSpace, text[length - 1]) != NULL) --length;
  *value = is_prefix(text, length, "true", 1) || is_prefix(text, length, "yes", 1) ||
           is_prefix(text, length, "on", 2) || is_prefix(text, length, "1", 1);
  return *value || is_prefix(text, length, "false", 1) || is_prefix(text, length, "no", 1) ||
         is_prefix(text, length, "off", 2) || is_prefix(text, length, "0", 1);
}

bool sql_boolean_constant(const Node* node, bool* value) {
  const A_Const* constant = constant_below(node, is_bool);
  if (constant == NULL || constant->isnull) return false;
  if (IsA(&constant->val, Boolean)) {
    *value = constant->val.boolval.boolval;
    return true;
  }
  return IsA(&constant->val, String) && parse_boolean(constant->val.sval.sval, value);
}
