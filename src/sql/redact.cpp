// SPDX-License-Identifier: Apache-2.0
#include "sql/redact.hpp"

#include "sql/masks.hpp"
#include "sql/pace.hpp"
#include "sql/raw_tokens.hpp"
#include "sql/redact_statement.hpp"
#include "sql/secret_text.hpp"

namespace helios::sql {

bool redact_while(const std::function<bool()>& go_on, std::string_view text,
                  bool standard_conforming_strings, std::optional<std::string>& out) {
  Masks masks(text);
  Pace pace(go_on);
  RawScanner scanner(text, standard_conforming_strings);
  StatementRedactor redactor(text, masks, pace);
  for (RawToken token = scanner.next(); token.kind != RawToken::Kind::end; token = scanner.next()) {
    redactor.take(token);
    if (!pace.may_go_on(token.end)) return false;
  }
  out = masks.masked_text();
  return true;
}

std::optional<std::string> redact(std::string_view text, bool standard_conforming_strings) {
  std::optional<std::string> redacted;
  (void)redact_while([] { return true; }, text, standard_conforming_strings, redacted);
  return redacted;
}

std::optional<std::string> redact_message(std::string_view message) {
  const std::function<bool()> go_on = [] { return true; };
  Masks masks(message);
  Pace pace(go_on);
  find_secrets_in(message, {.begin = 0, .end = message.size()}, masks, pace);
  return masks.masked_text();
}

}  // namespace helios::sql
