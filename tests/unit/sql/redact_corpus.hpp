// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace helios::sql {

// A statement, and what of it may be shown. In each text that holds a secret, the secret has "hush" in it.
struct RedactCase {
  std::string_view text;
  std::string_view shown;
};

[[nodiscard]] std::span<const RedactCase> redact_corpus();
// Ordinary statements: they stay as they are.
[[nodiscard]] std::span<const std::string_view> ordinary_statements();

}  // namespace helios::sql
