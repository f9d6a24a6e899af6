// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sql/masks.hpp"
#include "sql/pace.hpp"
#include "sql/raw_tokens.hpp"
#include "sql/redact_words.hpp"

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

namespace helios::sql {

// Decides which strings of a text hold a secret, from its tokens in their order. redact.hpp says which those are.
//
// It follows how deep in parentheses it stands, and three things:
//   - a name that holds a secret arms it: an operator behind the name begins an expression, and all strings of that are masked;
//   - an expression ends at a comma, a keyword or a closing parenthesis of the depth at which it began;
//   - a string that stands before such a name ('...' = password) is masked afterwards.
//
// Lifetime: text, masks and pace outlive it. Thread rule: one thread.
class StatementRedactor {
 public:
  StatementRedactor(std::string_view text, Masks& masks, Pace& pace)
      : text_(text), masks_(&masks), pace_(&pace) {}

  void take(const RawToken& token);

 private:
  static constexpr std::size_t kMaxDepth = 512;     // deeper, every string is masked
  static constexpr std::size_t kMaxColumns = 1600;  // PostgreSQL's own limit
  static constexpr std::size_t kNowhere = std::numeric_limits<std::size_t>::max();

  // What a pair of parentheses, or CASE ... END, is for.
  enum class FrameKind : std::uint8_t { plain, case_end, options, columns, row, call };
  struct Frame {
    FrameKind kind = FrameKind::plain;
    bool has_secret_name = false;
    std::uint8_t secret_arguments = 0;  // of a call: bit 0 is the first
    std::uint32_t argument = 0;
  };
  // What ends the masking: `expression` any keyword, `list` only a clause, `argument` none.
  enum class Until : std::uint8_t { expression, list, argument };
  // What is armed by: a name of SQL, a string that is a name or ends in one, or one that ends within a value.
  enum class Armed : std::uint8_t { no, by_name, by_string_name, by_string_value };
  // Where it stands behind a string that might be compared with, or called, a secret's name.
  enum class BehindString : std::uint8_t { no, at_string, at_operator, at_qualification };
  enum class Insert : std::uint8_t { no, begun, has_columns };

  [[nodiscard]] std::string_view text_of(const RawToken& token) const {
    return text_.substr(token.inner_begin, token.inner_end - token.inner_begin);
  }
  [[nodiscard]] Frame& frame() { return frames_[depth_ < kMaxDepth ? depth_ : kMaxDepth]; }
  [[nodiscard]] bool masks_now() const { return masks_from_ != kNowhere; }
  [[nodiscard]] bool takes_options();

  void take_word(const RawToken& token);
  void take_name(const RawToken& token);
  void take_string(const RawToken& token);
  void take_symbol(char symbol);
  void scan_inside(const RawToken& token);
  [[nodiscard]] bool is_secret(const RawToken& string) const;
  void note_value(const RawToken& string);

  void note_keyword(RedactWord word);
  void begin_clause(RedactWord word);
  void note_when();
  void note_first_words(RedactWord word);
  void note_name_in_frame(bool is_secret);
  void look_behind(bool is_secret);

  void take_comma();
  void take_operator(char symbol);
  void open(char symbol);
  void close();
  void push(const Frame& frame);
  void pop();
  [[nodiscard]] Frame frame_for_parenthesis();
  void begin_argument();
  void end_statement();

  void start_masking(Until until);
  void stop_masking() { masks_from_ = kNowhere; }

  std::string_view text_;
  Masks* masks_;
  Pace* pace_;

  std::array<Frame, kMaxDepth + 1> frames_{};
  std::size_t depth_ = 0;
  std::size_t masks_from_ = kNowhere;  // all strings at this depth or deeper are masked
  Until until_ = Until::expression;
  Armed armed_ = Armed::no;

  RawToken previous_;  // comments left out
  RedactWord previous_word_ = RedactWord::other;
  bool is_behind_secret_name_ = false;  // directly
  bool is_between_ = false;             // the next AND ends nothing
  bool was_masked_ = false;             // the previous token: a string that is
  BehindString behind_string_ = BehindString::no;
  RawToken last_string_;  // with behind_string_
  RawToken last_value_;   // value => '...', of the call that has not ended; kind end: none

  std::size_t words_ = 0;  // of this statement
  RedactWord verb_ = RedactWord::other;
  bool sets_options_ = false;   // SET, or ALTER of anything but a table: settings
  bool runs_prepared_ = false;  // EXECUTE, and its arguments have not begun
  Insert insert_ = Insert::no;
  std::bitset<kMaxColumns> secret_columns_;  // of the INSERT
  std::size_t rows_at_ = kNowhere;           // the depth at which its VALUES stand
};

}  // namespace helios::sql
