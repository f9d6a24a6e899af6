// SPDX-License-Identifier: Apache-2.0
#include "sql/redact.hpp"

#include "sql/masks.hpp"
#include "sql/pace.hpp"
#include "sql/raw_tokens.hpp"
#include "sql/redact_statement.hpp"
#include "sql/secret_text.hpp"

#include <utility>

namespace helios::sql {
namespace {

// False: there was no more time. `out`: nullopt where nothing is to be masked.
bool redact_once(const std::function<bool()>& go_on, std::string_view text,
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

}  // namespace

// A mask in SQL within a string may take one half of a doubled quote, and whoever reads the rest reads other strings than
// the server did: what is a secret for him goes too.
bool redact_while(const std::function<bool()>& go_on, std::string_view text,
                  bool standard_conforming_strings, std::optional<std::string>& out) {
  constexpr int kMostRounds = 8;
  std::optional<std::string> redacted;
  std::optional<std::string> next;
  if (!redact_once(go_on, text, standard_conforming_strings, next)) return false;
  for (int round = 1; next && round < kMostRounds; ++round) {
    redacted = std::move(next);
    if (!redact_once(go_on, *redacted, standard_conforming_strings, next)) return false;
  }
  out = next ? std::move(next) : std::move(redacted);
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
