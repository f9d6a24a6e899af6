// SPDX-License-Identifier: Apache-2.0
#include "fuzz/support/error_line.hpp"

#include "base/text.hpp"
#include "fuzz/support/fuzz.hpp"

#include <algorithm>
#include <charconv>

namespace helios::fuzz {
namespace {

void require_error_line(std::string_view message, std::string_view file, std::string_view text) {
  const bool has_control =
      std::ranges::any_of(message, [](unsigned char c) { return c < ' ' || c == 0x7F; });
  require(!has_control, "a message of one line: " + std::string(message));
  require(base::is_valid_utf8(message), "a message in UTF-8: " + std::string(message));
  require(message.starts_with(std::string(file) + ":"),
          "a message that begins with the file: " + std::string(message));
  const std::string_view rest = message.substr(file.size() + 1);
  std::size_t line = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), line);
  require(
      error == std::errc{} && std::string_view(end, rest.data() + rest.size()).starts_with(": "),
      "a message with a line: " + std::string(message));
  // TOML ends lines at LF; the end of the text counts as one.
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  require(line >= 1 && line <= lines, "a line that exists: " + std::string(message));
}

}  // namespace

void require_error_lines(std::string_view message, std::string_view file, std::string_view text) {
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = message.find('\n');
    require_error_line(message.substr(0, end), file, text);
    if (end != std::string_view::npos) message.remove_prefix(end + 1);
  }
}

}  // namespace helios::fuzz
