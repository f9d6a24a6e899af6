// SPDX-License-Identifier: Apache-2.0
//
// Facts of random statements: of queries that a model has made, which knows what they name; and of texts put
// together from the fuzzers' pieces, of which only what must always hold is known.

#include "base/text.hpp"
#include "fuzz/support/sql_text.hpp"
#include "unit/sql/facts_test_support.hpp"

#include <map>
#include <random>
#include <set>

namespace helios::sql {
namespace {

// ---- a model ----

// Writes a query of nested WITH clauses, subqueries and writes over few names, so that they often hide each
// other, and keeps what it names: relation -> "r", "w" or "rw".
class Writer {
 public:
  explicit Writer(unsigned seed) : random_(seed) {}

  std::string statement() { return chance(3) ? write(3, {}) : query(3, {}); }

  std::string expected() const {
    std::vector<std::string> words;
    for (const auto& [name, uses] : uses_)
      words.push_back(name + ":" + (uses.contains('r') ? "r" : "") +
                      (uses.contains('w') ? "w" : ""));
    return joined(std::move(words), false);
  }

 private:
  using Scope = std::set<std::string>;

  unsigned below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }
  bool chance(unsigned one_in) { return below(one_in) == 0; }
  std::string name() { return std::string(1, static_cast<char>('a' + below(5))); }

  std::string read(const Scope& scope) {
    const std::string bare = name();
    const bool has_schema = chance(5);
    const std::string whole = (has_schema ? "s." : "") + bare;
    if (has_schema || !scope.contains(bare)) uses_[whole].insert('r');
    return whole;
  }

  // "with ... ": extends `scope` by what it defines.
  std::string with(unsigned depth, Scope& scope) {
    if (depth == 0 || !chance(2)) return "";
    const bool is_recursive = chance(2);
    std::set<std::string> names;
    for (unsigned count = 1 + below(3); count > 0; --count) names.insert(name());
    if (is_recursive) scope.insert(names.begin(), names.end());
    std::string text;
    for (const std::string& defined : names) {
      text += (text.empty() ? "" : ", ") + defined + " as (" +
              (chance(4) ? write(depth - 1, scope) : query(depth - 1, scope)) + ")";
      if (!is_recursive) scope.insert(defined);
    }
    return (is_recursive ? "with recursive " : "with ") + text + " ";
  }

  std::string source(unsigned depth, const Scope& scope) {
    if (depth == 0 || !chance(3)) return read(scope) + " x" + std::to_string(++aliases_);
    return "(" + query(depth - 1, scope) + ") x" + std::to_string(++aliases_);
  }

  std::string query(unsigned depth, Scope scope) {
    const std::string with_clause = with(depth, scope);
    std::string text = "select 1 from " + source(depth, scope);
    if (chance(2)) text += ", " + source(depth, scope);
    if (chance(3)) text += " join " + source(depth, scope) + " on true";
    if (depth > 0 && chance(3)) text += " where exists (" + query(depth - 1, scope) + ")";
    if (depth > 0 && chance(4)) text = "(" + text + ") union (" + query(depth - 1, scope) + ")";
    return with_clause + text;
  }

  std::string write(unsigned depth, Scope scope) {
    const std::string with_clause = with(depth, scope);
    const std::string target = name();  // no WITH query, even of that name
    uses_[target].insert('w');
    if (chance(2)) return with_clause + "insert into " + target + " " + query(depth, scope);
    uses_[target].insert('r');
    if (chance(2))
      return with_clause + "delete from " + target + " using " + source(depth, scope) +
             " returning 1";
    return with_clause + "update " + target + " set z = 1 from " + source(depth, scope);
  }

  std::mt19937 random_;
  unsigned aliases_ = 0;
  std::map<std::string, std::set<char>> uses_;
};

TEST(FactsProperty, relations_are_those_that_a_model_knows) {
  for (unsigned seed = 1; seed <= 3000; ++seed) {
    Writer writer(seed);
    const std::string text = writer.statement();
    ASSERT_EQ(relations_in(facts_of(text)), writer.expected()) << "seed " << seed << ": " << text;
  }
}

// ---- what always holds ----

bool same_name(const Relation& a, const Relation& b) {
  return a.catalog == b.catalog && a.schema == b.schema && a.name == b.name;
}

template <typename T, typename Same>
void expect_no_two_alike(const std::vector<T>& items, Same same) {
  EXPECT_LE(items.size(), kMaxFactNames);
  for (std::size_t i = 0; i < items.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_FALSE(same(items[i], items[j]));
  }
}

void expect_well_formed(const Statement& statement) {
  const Facts& facts = statement.facts;
  EXPECT_NE(facts.kind, StatementKind::unknown);
  EXPECT_NE(facts.kind, StatementKind::other);
  expect_no_two_alike(facts.relations, same_name);
  expect_no_two_alike(facts.functions, std::equal_to<Function>{});
  for (const Relation& relation : facts.relations) {
    EXPECT_TRUE(relation.is_read || relation.is_written || relation.is_defined);
    if (facts.kind == StatementKind::select && statement.is_read_only) {
      EXPECT_FALSE(relation.is_written || relation.is_defined);
    }
  }
}

// A name stands in the text: folded to lower case, or between quotes, which are doubled there.
void expect_in_text(std::string_view text, std::string_view name) {
  std::string quoted;
  for (const char c : name) quoted.append(c == '"' ? 2 : 1, c);
  const std::string lower_text = base::to_lower(text);
  EXPECT_TRUE(lower_text.contains(base::to_lower(name)) ||
              lower_text.contains(base::to_lower(quoted)))
      << name;
}

void expect_names_in_text(std::string_view text, const Facts& facts) {
  for (const Relation& relation : facts.relations) {
    expect_in_text(text, relation.catalog);
    expect_in_text(text, relation.schema);
    expect_in_text(text, relation.name);
  }
  for (const Function& function : facts.functions) {
    if (function.schema == "pg_catalog") continue;  // perhaps grammar: EXTRACT, TRIM, ...
    expect_in_text(text, function.schema);
    expect_in_text(text, function.name);
  }
}

// Alone, a statement has the same facts; and PREPARE and DECLARE name what their query does.
void expect_same_alone(std::string_view text, const Statement& statement) {
  const auto alone = parse_text(text_of(text, statement));
  ASSERT_EQ(alone->statements.size(), 1U);
  EXPECT_EQ(alone->statements.front().facts, statement.facts);
  if (statement.query == nullptr || statement.query->statements.size() != 1) return;
  const Facts& inner = statement.query->statements.front().facts;
  EXPECT_EQ(inner.relations, statement.facts.relations);
  EXPECT_EQ(inner.functions, statement.facts.functions);
  EXPECT_EQ(inner.has_where, statement.facts.has_where);
  EXPECT_EQ(inner.has_limit, statement.facts.has_limit);
}

TEST(FactsProperty, hold_for_texts_of_random_pieces) {
  std::mt19937 random(20261);
  std::size_t statements = 0;
  std::size_t relations = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string input = "#";
    for (std::size_t count = 1 + random() % 9; count > 0; --count)
      input.push_back(static_cast<char>(random() % 256));
    const std::string text = fuzz::sql_text(input);
    const auto analysis = parse_text(text);
    for (const Statement& statement : analysis->statements) {
      SCOPED_TRACE(text);
      ++statements;
      relations += statement.facts.relations.size();
      expect_well_formed(statement);
      if (!text.contains("U&")) expect_names_in_text(text, statement.facts);
      expect_same_alone(text, statement);
    }
  }
  EXPECT_GT(statements, 300U) << "too few of the texts are SQL";
  EXPECT_GT(relations, 50U);
}

}  // namespace
}  // namespace helios::sql
