// SPDX-License-Identifier: Apache-2.0
#include "plugins/abi/redaction.hpp"

#include <memory>
#include <utility>

namespace helios::plugins {

namespace {

// A call owns its statement while it runs, and one call of a statement runs at a time.
hooks::StatementExecution& statement_of(HostCalls& calls) { return *calls.scope().call->statement; }

hooks::RedactedTexts& kept_texts(hooks::StatementExecution& statement) {
  if (!statement.redacted) statement.redacted = std::make_shared<hooks::RedactedTexts>();
  return *statement.redacted;
}

// False: the attempt's time is over.
bool work_out(HostCalls& calls, std::string_view text, hooks::RedactedText& kept) {
  const hooks::StatementExecution& statement = statement_of(calls);
  if (statement.redact_text == nullptr) {
    kept.text = hooks::kAllRedacted;
  } else if (!statement.redact_text([&calls] { return !calls.is_out_of_time(); }, text,
                                    statement.standard_conforming_strings, kept.text)) {
    calls.stop(HostCalls::Stop::out_of_time);
    return false;
  }
  kept.is_known = true;
  return true;
}

std::optional<std::string_view> shown(HostCalls& calls, std::string_view text,
                                      hooks::RedactedText& kept) {
  if (!kept.is_known && !work_out(calls, text, kept)) return std::nullopt;
  return kept.text ? std::string_view(*kept.text) : text;
}

}  // namespace

std::optional<std::string_view> redacted_text(HostCalls& calls, std::string_view text) {
  hooks::StatementExecution& statement = statement_of(calls);
  hooks::RedactedTexts& kept = kept_texts(statement);
  if (statement.rewritten.empty()) return shown(calls, text, kept.original);
  // Another plugin may have written it anew.
  if (kept.rewritten.of != text)
    kept.rewritten = {.is_known = false, .of = std::string(text), .text = {}};
  return shown(calls, text, kept.rewritten);
}

std::optional<std::string_view> redacted_execute_text(HostCalls& calls, std::string_view text) {
  return shown(calls, text, kept_texts(statement_of(calls)).execute);
}

std::string_view redacted_message(HostCalls& calls, std::string_view message, std::string& buffer) {
  const hooks::RedactMessage redact = statement_of(calls).redact_message;
  if (redact == nullptr) return hooks::kAllRedacted;
  auto redacted = redact(message);
  if (!redacted) return message;
  buffer = std::move(*redacted);
  return buffer;
}

}  // namespace helios::plugins
