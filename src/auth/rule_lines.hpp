// SPDX-License-Identifier: Apache-2.0
#pragma once

// The lines of a file of rules as records know them: a backslash at the end of a line joins the next one to it, also within
// quotes and comments. Each byte keeps the line and column at which it stands.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::auth {

class RuleLine {
 public:
  // Of a line after joining. PostgreSQL has no limit; no rule that somebody can read is longer.
  static constexpr std::size_t kMaxBytes = std::size_t{64} << 10;

  [[nodiscard]] const std::string& text() const { return text_; }
  // The text is not all of the line: it is longer than kMaxBytes.
  [[nodiscard]] bool is_too_long() const { return is_too_long_; }
  // Line and column, from 1, of a byte of text(), or of its end.
  [[nodiscard]] std::pair<std::uint32_t, std::uint32_t> position(std::size_t offset) const;

 private:
  friend class RuleLines;
  void begin(std::uint32_t line);
  void append(std::string_view part, std::uint32_t line);

  std::string text_;
  bool is_too_long_ = false;
  // Where in `text_` each line that was joined begins, and its number. Never empty.
  std::vector<std::pair<std::size_t, std::uint32_t>> starts_{{0, 1}};
};

class RuleLines {
 public:
  // `text` must outlive this.
  explicit RuleLines(std::string_view text) : rest_(text) {}

  // False: there are no more.
  bool next(RuleLine& line);

 private:
  std::string_view next_physical();

  std::string_view rest_;
  std::uint32_t number_ = 0;  // of the line read last
};

}  // namespace helios::auth
