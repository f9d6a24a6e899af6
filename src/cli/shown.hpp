// SPDX-License-Identifier: Apache-2.0
#pragma once

// Texts that others wrote, for people at a terminal.

#include <string>
#include <string_view>

namespace helios::cli {

// `bytes` without anything that steers a terminal, begins a line, or turns the direction of writing: such characters, and
// bytes that are not UTF-8, stand as \n, \t, \r, \xNN (a byte) or \u{NNNN}; a backslash stands twice. Everything else is as it
// was, so that the bytes can be told from what is shown.
[[nodiscard]] std::string shown(std::string_view bytes);

// The same for a text of several lines: line breaks and tabs stay, and each line begins with `indent`. Ends in a line break.
[[nodiscard]] std::string shown_lines(std::string_view bytes, std::string_view indent);

}  // namespace helios::cli
