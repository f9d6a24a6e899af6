// SPDX-License-Identifier: Apache-2.0
#include "sql/read_facts.hpp"

#include <algorithm>
#include <string>

namespace helios::sql {
namespace {

static_assert(static_cast<int>(StatementKind::unknown) == SQL_KIND_UNKNOWN);
static_assert(static_cast<int>(StatementKind::other) == SQL_KIND_OTHER);
static_assert(static_cast<int>(StatementKind::select) == SQL_KIND_SELECT);
static_assert(static_cast<int>(StatementKind::insert) == SQL_KIND_INSERT);
static_assert(static_cast<int>(StatementKind::update) == SQL_KIND_UPDATE);
static_assert(static_cast<int>(StatementKind::delete_) == SQL_KIND_DELETE);
static_assert(static_cast<int>(StatementKind::merge) == SQL_KIND_MERGE);
static_assert(static_cast<int>(StatementKind::truncate) == SQL_KIND_TRUNCATE);
static_assert(static_cast<int>(StatementKind::copy_from) == SQL_KIND_COPY_FROM);
static_assert(static_cast<int>(StatementKind::copy_to) == SQL_KIND_COPY_TO);
static_assert(static_cast<int>(StatementKind::call) == SQL_KIND_CALL);
static_assert(static_cast<int>(StatementKind::do_block) == SQL_KIND_DO_BLOCK);
static_assert(static_cast<int>(StatementKind::explain) == SQL_KIND_EXPLAIN);
static_assert(static_cast<int>(StatementKind::prepare) == SQL_KIND_PREPARE);
static_assert(static_cast<int>(StatementKind::execute) == SQL_KIND_EXECUTE);
static_assert(static_cast<int>(StatementKind::deallocate) == SQL_KIND_DEALLOCATE);
static_assert(static_cast<int>(StatementKind::declare) == SQL_KIND_DECLARE);
static_assert(static_cast<int>(StatementKind::fetch) == SQL_KIND_FETCH);
static_assert(static_cast<int>(StatementKind::close) == SQL_KIND_CLOSE);
static_assert(static_cast<int>(StatementKind::listen) == SQL_KIND_LISTEN);
static_assert(static_cast<int>(StatementKind::unlisten) == SQL_KIND_UNLISTEN);
static_assert(static_cast<int>(StatementKind::notify) == SQL_KIND_NOTIFY);
static_assert(static_cast<int>(StatementKind::lock) == SQL_KIND_LOCK);
static_assert(static_cast<int>(StatementKind::vacuum) == SQL_KIND_VACUUM);
static_assert(static_cast<int>(StatementKind::analyze) == SQL_KIND_ANALYZE);
static_assert(static_cast<int>(StatementKind::maintenance) == SQL_KIND_MAINTENANCE);
static_assert(static_cast<int>(StatementKind::transaction) == SQL_KIND_TRANSACTION);
static_assert(static_cast<int>(StatementKind::set) == SQL_KIND_SET);
static_assert(static_cast<int>(StatementKind::show) == SQL_KIND_SHOW);
static_assert(static_cast<int>(StatementKind::discard) == SQL_KIND_DISCARD);
static_assert(static_cast<int>(StatementKind::load) == SQL_KIND_LOAD);
static_assert(static_cast<int>(StatementKind::grant) == SQL_KIND_GRANT);
static_assert(static_cast<int>(StatementKind::ddl) == SQL_KIND_DDL);

static_assert(static_cast<int>(Pin::listen) == SQL_PIN_LISTEN);
static_assert(static_cast<int>(Pin::temporary_object) == SQL_PIN_TEMPORARY_OBJECT);
static_assert(static_cast<int>(Pin::holdable_cursor) == SQL_PIN_HOLDABLE_CURSOR);
static_assert(static_cast<int>(Pin::prepared_statement) == SQL_PIN_PREPARED_STATEMENT);
static_assert(static_cast<int>(Pin::advisory_lock) == SQL_PIN_ADVISORY_LOCK);
static_assert(static_cast<int>(Pin::library) == SQL_PIN_LIBRARY);
static_assert(static_cast<int>(Pin::process_state) == SQL_PIN_PROCESS_STATE);
static_assert(static_cast<int>(Pin::sequence) == SQL_PIN_SEQUENCE);
static_assert(static_cast<int>(Pin::setting) == SQL_PIN_SETTING);
static_assert(static_cast<int>(Pin::hidden_code) == SQL_PIN_HIDDEN_CODE);
static_assert(static_cast<int>(Pin::unknown) == SQL_PIN_UNKNOWN);

static_assert(kMaxFactNames == SQL_FACT_NAMES);

std::string text_or_empty(const char* text) { return text == nullptr ? std::string() : text; }

std::optional<bool> read_answer(sql_answer answer) {
  if (answer == SQL_NOT_ASKED) return std::nullopt;
  return answer == SQL_YES;
}

// The list of records runs backwards.
std::vector<Relation> read_relations(const sql_names& names) {
  std::vector<Relation> relations;
  relations.reserve(static_cast<std::size_t>(names.count));
  for (const sql_name* name = names.first; name != nullptr; name = name->next) {
    relations.push_back({.catalog = text_or_empty(name->catalog),
                         .schema = text_or_empty(name->schema),
                         .name = text_or_empty(name->name),
                         .is_read = (name->uses & SQL_USE_READ) != 0,
                         .is_written = (name->uses & SQL_USE_WRITE) != 0,
                         .is_defined = (name->uses & SQL_USE_DEFINE) != 0});
  }
  std::ranges::reverse(relations);
  return relations;
}

std::vector<Function> read_functions(const sql_names& names) {
  std::vector<Function> functions;
  functions.reserve(static_cast<std::size_t>(names.count));
  for (const sql_name* name = names.first; name != nullptr; name = name->next) {
    functions.push_back({.schema = text_or_empty(name->schema), .name = text_or_empty(name->name)});
  }
  std::ranges::reverse(functions);
  return functions;
}

}  // namespace

Facts read_facts(const sql_facts& found) {
  return {.kind = static_cast<StatementKind>(found.kind),
          .has_more_relations = found.relations.has_more,
          .has_more_functions = found.functions.has_more,
          .has_where = read_answer(found.has_where),
          .has_limit = read_answer(found.has_limit),
          .pins = Pins(static_cast<Pin>(found.pins)),
          .relations = read_relations(found.relations),
          .functions = read_functions(found.functions)};
}

}  // namespace helios::sql
