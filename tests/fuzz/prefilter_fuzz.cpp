// SPDX-License-Identifier: Apache-2.0
//
// The pre-filter may only err towards parsing: what it takes for one plain statement, the grammar
// takes for the same. And an Analyzer, with its pre-filter and its cache, answers what parse() does.
// Input: a query text, see support/sql_text.hpp.

#include "fuzz/support/fuzz.hpp"
#include "fuzz/support/same_analysis.hpp"
#include "fuzz/support/sql_text.hpp"
#include "sql/prefilter.hpp"

namespace helios::fuzz {
namespace {

void check_plain(const sql::PlainStatement& plain, const sql::Analysis& analysis) {
  if (!analysis.parsed) return;  // the server refuses the text as a whole
  require(analysis.statements.size() == 1, "one statement");
  const sql::Statement& statement = analysis.statements.front();
  require(statement.begin == plain.begin && statement.end == plain.end, "where it stands");
  require(statement.is_read_only == plain.is_read_only, "is_read_only");
  require(!statement.is_session_statement, "hooks run");
  require(statement.name_op == sql::NameOp::none, "no EXECUTE");
  require(statement.transaction == sql::TransactionOp::none, "no transaction control");
  require(statement.settings.empty(), "no settings");
  require(statement.kv_calls.empty() && !analysis.has_kv_calls, "no helios.kv()");
  require(!analysis.touches_session, "does not touch the session");
}

void check_analyzer(std::string_view text, sql::ReadingRules rules, const sql::Analysis& analysis) {
  sql::Analyzer analyzer{{.cache_bytes = 4096}};
  const auto first = analyzer.analyze(text, rules);
  const auto second = analyzer.analyze(text, rules);
  require(same_analysis(*first, *second), "the same answer twice");
  const bool is_prefiltered = analyzer.counters().prefiltered > 0;
  if (analysis.parsed || !is_prefiltered) {
    require(same_analysis(*first, analysis), "what the grammar says");
  }
}

}  // namespace
}  // namespace helios::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace helios;
  using namespace helios::fuzz;
  const std::string text = sql_text(text_of(data, size));
  const auto plain = sql::match_plain_statement(text);
  for (const bool conforming : {true, false}) {
    const sql::ReadingRules rules{.standard_conforming_strings = conforming};
    const auto analysis = sql::parse(text, rules);
    if (plain) check_plain(*plain, *analysis);
    check_analyzer(text, rules, *analysis);
  }
  const sql::ReadingRules unsafe{.encoding_is_ascii_safe = false};
  sql::Analyzer analyzer{{}};
  require(!analyzer.analyze(text, unsafe)->parsed, "an unsafe encoding is never read");
  return 0;
}
