// SPDX-License-Identifier: Apache-2.0
#pragma once

// A TOML file as text and as a table: of the proxy, and of who asks one.

#include "base/result.hpp"
#include "config/toml_section.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace helios::config {

// The text of `path`. Errors: not_found (cannot be opened), invalid (a folder), unavailable (cannot be read),
// limit_exceeded (more than 1 MiB); the message begins with the path.
[[nodiscard]] base::Result<std::string> read_toml_file(const std::string& path);

// Nothing: `text` is no TOML, which stands in `problems` then, with its line.
[[nodiscard]] std::optional<toml::table> parse_toml(std::string_view text, Problems& problems);

}  // namespace helios::config
