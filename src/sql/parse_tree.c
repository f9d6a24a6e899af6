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

void sql_tree_open(struct sql_tree* tree, const char* text, bool conforming) {
  *tree = (struct sql_tree){0};
  tree->memory_context = pg_query_enter_memory_context();
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

void sql_tree_close(struct sql_tree* tree) {
  if (tree->parse_error != NULL) pg_query_free_error(tree->parse_error);
  free(tree->parse_stderr);
  pg_query_exit_memory_context(tree->memory_context);
  *tree = (struct sql_tree){0};
}

void sql_set_scanner_rules(bool rules) { standard_conforming_strings = rules; }
