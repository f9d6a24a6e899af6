// SPDX-License-Identifier: Apache-2.0
#pragma once

// A statement's texts without the secrets in them, kept for the hooks that ask: working them out takes as long as reading the text.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace helios::hooks {

// Takes the secrets out of a statement's text. `out`: what is left; nullopt: there are none. Returns false, with `out` untouched, when
// `go_on` says that there is no more time. Any thread.
using RedactText = bool (*)(const std::function<bool()>& go_on, std::string_view text,
                            bool standard_conforming_strings, std::optional<std::string>& out);
// The same of a message that may repeat parts of a statement.
using RedactMessage = std::optional<std::string> (*)(std::string_view message);

// What is shown where nobody can tell what a text says.
inline constexpr std::string_view kAllRedacted = "***";

// One text, as it was when it was asked for.
struct RedactedText {
  bool is_known = false;
  std::string of;                   // of a text that may change: what it was
  std::optional<std::string> text;  // nullopt: nothing in it is secret
};

struct RedactedTexts {
  RedactedText original;
  RedactedText rewritten;
  RedactedText execute;
};

}  // namespace helios::hooks
