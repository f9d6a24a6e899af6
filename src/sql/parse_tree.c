// SPDX-License-Identifier: Apache-2.0
#include "sql/parse_tree.h"

#include "sql/pg_nodes.h"
#include "sql/tree_walk.h"

#include <parser/parser.h>
#include <pg_query.h>
#include <src/pg_query_internal.h>

// `conforming`: standard_conforming_strings, a name that the headers above use for a variable.
static int parser_options(bool conforming) {
  // The parser would print its warnings about backslashes to the standard error output.
  int options = PG_QUERY_DISABLE_ESCAPE_STRING_WARNING;
  if (!conforming) options |= PG_QUERY_DISABLE_STANDARD_CONFORMING_STRINGS;
  return options;
}

// ---- the bound on memory ----
//
// The tree of a text may take hundreds of times its size. All of it comes out of one memory context,
// so that one is given a method of its own: it looks at the account that the context keeps anyway.

static _Thread_local MemoryContextMethods bounded_methods;
static _Thread_local const MemoryContextMethods* plain_methods;
static _Thread_local size_t bounded_bytes;

static void unbound_memory(MemoryContext context) { context->methods = plain_methods; }

static void* bounded_alloc(MemoryContext context, Size size, int flags) {
  // Without a handler the error would end the process; what reports another error needs little.
  if (context->mem_allocated + size > bounded_bytes && PG_exception_stack != NULL) {
    unbound_memory(context);  // for the report
    ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY),
                    errmsg("reading the text takes more than %zu MiB", bounded_bytes >> 20)));
  }
  return plain_methods->alloc(context, size, flags);
}

static void bound_memory(MemoryContext context, size_t max_bytes) {
  bounded_bytes = max_bytes;
  plain_methods = context->methods;
  bounded_methods = *plain_methods;
  bounded_methods.alloc = bounded_alloc;
  context->methods = &bounded_methods;
}

// ---- parsing ----

// The walk allocates and may find the tree too deep for the stack: both end here by longjmp.
static void walk_tree(struct sql_tree* tree, const List* raw_statements) {
  MemoryContext context = CurrentMemoryContext;
  PG_TRY();
  {
    tree->statements = sql_read_statements(raw_statements);
  }
  PG_CATCH();
  {
    MemoryContextSwitchTo(context);
    tree->statements = NULL;
    tree->error = CopyErrorData()->message;
    FlushErrorState();
  }
  PG_END_TRY();
}

static void read_tree(struct sql_tree* tree, const char* text, bool conforming) {
  PgQueryInternalParsetreeAndError parsed = pg_query_raw_parse(text, parser_options(conforming));
  tree->parse_stderr = parsed.stderr_buffer;
  tree->parse_error = parsed.error;
  if (parsed.error != NULL) {
    tree->error = parsed.error->message;
    tree->error_position = parsed.error->cursorpos;
    return;
  }
  walk_tree(tree, parsed.tree);
}

void sql_tree_open(struct sql_tree* tree, const char* text, bool conforming, size_t max_bytes) {
  *tree = (struct sql_tree){0};
  MemoryContext context = pg_query_enter_memory_context();
  tree->memory_context = context;
  bound_memory(context, max_bytes);
  read_tree(tree, text, conforming);
  unbound_memory(context);
}

void sql_tree_close(struct sql_tree* tree) {
  if (tree->parse_error != NULL) pg_query_free_error(tree->parse_error);
  free(tree->parse_stderr);
  pg_query_exit_memory_context(tree->memory_context);
  *tree = (struct sql_tree){0};
}

bool sql_fingerprint(const char* text, bool conforming, uint64_t* fingerprint) {
  PgQueryFingerprintResult result = pg_query_fingerprint_opts(text, parser_options(conforming), 0);
  const bool is_read = result.error == NULL;
  if (is_read) *fingerprint = result.fingerprint;
  pg_query_free_fingerprint_result(result);
  return is_read;
}

void sql_set_scanner_rules(bool rules) {
  standard_conforming_strings = rules;
  // A warning says where it belongs, counted in characters, and fails over bytes that are none.
  escape_string_warning = false;
}
