// SPDX-License-Identifier: Apache-2.0
//
// What is shown of a text without its secrets: it is the same text but for masks, it hides no less when it is read again, and a
// password in a statement of its own is hidden whatever stands before it. Input: a query text, see support/sql_text.hpp.

#include "fuzz/support/fuzz.hpp"
#include "fuzz/support/sql_text.hpp"
#include "sql/raw_tokens.hpp"
#include "sql/redact.hpp"

namespace helios::fuzz {
namespace {

// Where the statements of a text are closed, one more begins behind a semicolon.
bool is_closed(std::string_view text, bool conforming) {
  sql::RawScanner scanner(text, conforming);
  sql::RawToken last;
  for (sql::RawToken it = scanner.next(); it.kind != sql::RawToken::Kind::end; it = scanner.next())
    last = it;
  return last.end < text.size() || last.kind == sql::RawToken::Kind::symbol;
}

void check(std::string_view text, bool conforming) {
  const auto once = sql::redact(text, conforming);
  if (once) require(!sql::redact(*once, conforming), "twice is as good as once");
  if (!is_closed(text, conforming) || text.contains("hush4711")) return;
  const std::string longer = std::string(text) + " ; alter role r password 'hush4711'";
  require(!sql::redact(longer, conforming).value_or(longer).contains("hush4711"), "it is hidden");
}

}  // namespace
}  // namespace helios::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace helios::fuzz;
  const std::string text = sql_text(text_of(data, size));
  for (const bool conforming : {true, false}) check(text, conforming);
  return 0;
}
