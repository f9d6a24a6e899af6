// SPDX-License-Identifier: Apache-2.0

#include "auth/rule_tokens.hpp"

#include <utility>

namespace helios::auth {
namespace {

// A carriage return within a line is one, too: PostgreSQL has it so.
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

class LineScanner {
 public:
  explicit LineScanner(std::string_view line) : line_(line) {}

  // False: nothing but blanks, commas and a comment are left.
  bool next(LineToken& token) {
    while (at_ < line_.size() && (is_blank(line_[at_]) || line_[at_] == ',')) ++at_;
    token = {.text = {}, .is_quoted = false, .begin = at_, .end = at_};
    ended_by_comma_ = false;
    bool has_quote = false;
    while (at_ < line_.size() && !is_blank(line_[at_])) {
      const char c = line_[at_];
      if (c == '#') {
        token.end = std::exchange(at_, line_.size());
        return has_quote || !token.text.empty();
      }
      ended_by_comma_ = c == ',';
      if (ended_by_comma_) break;
      if (c == '"') {
        token.is_quoted = token.is_quoted || token.text.empty();
        has_quote = true;
        take_quoted(token.text);
      } else {
        token.text += c;
        ++at_;
      }
    }
    token.end = at_;
    if (ended_by_comma_) ++at_;
    return has_quote || !token.text.empty();
  }

  [[nodiscard]] bool ended_by_comma() const { return ended_by_comma_; }
  // Offset of a quote that nothing closes; npos: there is none.
  [[nodiscard]] std::size_t open_quote() const { return open_quote_; }

 private:
  // What stands between this quote and the one that closes it, in which two stand for one.
  void take_quoted(std::string& text) {
    const std::size_t begin = at_++;
    while (at_ < line_.size()) {
      if (line_[at_] != '"') {
        text += line_[at_++];
      } else if (line_.substr(at_).starts_with("\"\"")) {
        text += '"';
        at_ += 2;
      } else {
        ++at_;
        return;
      }
    }
    open_quote_ = begin;
  }

  std::string_view line_;
  std::size_t at_ = 0;
  bool ended_by_comma_ = false;
  std::size_t open_quote_ = std::string_view::npos;
};

}  // namespace

LineFields split_line(std::string_view line) {
  LineFields result;
  if (const std::size_t nul = line.find('\0'); nul != std::string_view::npos) {
    return {.fields = {}, .wrong = "a zero byte: the file must be text", .wrong_at = nul};
  }
  LineScanner scanner(line);
  LineToken token;
  while (scanner.next(token)) {
    auto& field = result.fields.emplace_back(1, std::move(token));
    while (scanner.ended_by_comma() && scanner.next(token)) field.push_back(std::move(token));
  }
  if (scanner.open_quote() != std::string_view::npos) {
    result.wrong = "this quote is not closed: put a '\"' behind the name";
    result.wrong_at = scanner.open_quote();
  }
  return result;
}

}  // namespace helios::auth
