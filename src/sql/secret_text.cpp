// SPDX-License-Identifier: Apache-2.0
#include "sql/secret_text.hpp"

#include "sql/raw_tokens.hpp"
#include "sql/secret_names.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace helios::sql {

namespace {

constexpr auto kNameBytes = [] {
  auto is_name = kWordBytes;
  for (std::size_t byte = 0x80; byte < is_name.size(); ++byte) is_name[byte] = false;
  is_name['$'] = false;
  is_name['-'] = true;
  return is_name;
}();
bool is_name_byte(char byte) { return kNameBytes[static_cast<unsigned char>(byte)]; }
bool is_quote(char byte) { return byte == '\'' || byte == '"'; }
bool is_separator(char byte) { return std::string_view("=:<>!~(").contains(byte); }

class SecretScan {
 public:
  SecretScan(std::string_view text, const SecretTextRange& range, Masks& masks)
      : text_(text.substr(0, range.end)), range_(range), masks_(&masks), at_(range.begin) {}

  StringTail run(Pace& pace) {
    while (at_ < text_.size() && pace.may_go_on(at_)) {
      if (is_name_byte(text_[at_]))
        read_name();
      else if (has_placeholder_ && text_[at_] == '\'')
        read_behind_format();
      else
        ++at_;
    }
    return has_placeholder_ ? StringTail::placeholder : tail_;
  }

 private:
  // A quote as it stands in the text: so many backslashes, then quotes that stand for one.
  struct Quote {
    char byte = '\'';
    std::size_t backslashes = 0;
    std::size_t bytes = 1;
    std::size_t count = 0;  // how many of them in a row
  };

  [[nodiscard]] char at(std::size_t place) const {
    return place < text_.size() ? text_[place] : '\0';
  }
  [[nodiscard]] std::size_t behind_blanks(std::size_t place) const {
    while (place < text_.size() && is_blank(text_[place])) ++place;
    return place;
  }
  void mask(std::size_t begin, std::size_t end) {
    masks_->add(begin, end);
    at_ = end;
  }

  void read_name() {
    const std::size_t begin = at_;
    const bool is_qualified =
        begin > range_.begin && begin == name_end_ + 1 && text_[name_end_] == '.';
    if (!is_qualified) name_begin_ = begin;
    while (at_ < text_.size() && is_name_byte(text_[at_])) ++at_;
    name_end_ = at_;
    const std::string_view name = text_.substr(begin, at_ - begin);
    if (text_.substr(at_).starts_with("://")) {
      read_uri();
    } else if (at(at_) == '$' && equals_ignoring_case(name, "scram-sha-256")) {
      mask_word(at_ + 1);
    } else if (is_secret_name(name)) {
      read_behind_name(begin);
    }
  }

  // scheme://user:password@host: the user ends at the first colon, the password at the last @.
  void read_uri() {
    at_ += 3;
    std::size_t colon = std::string_view::npos;
    std::size_t last_at = colon;
    std::size_t end = at_;
    for (; end < text_.size() && !is_blank(text_[end]) && !is_quote(text_[end]); ++end) {
      if (text_[end] == '/') break;
      if (text_[end] == ':' && colon == std::string_view::npos) colon = end;
      if (text_[end] == '@') last_at = end;
    }
    if (last_at == std::string_view::npos) return;
    if (colon < last_at && colon + 1 < last_at) mask(colon + 1, last_at);
    at_ = last_at;
  }

  void mask_word(std::size_t begin) {
    std::size_t end = begin;
    while (end < text_.size() && !is_blank(text_[end]) && !is_quote(text_[end])) ++end;
    at_ = end;
    if (end > begin) mask(begin, end);
  }

  // at_ stands behind a name that holds a secret.
  void read_behind_name(std::size_t name_begin) {
    const std::size_t name_end = at_;
    std::size_t place = name_end;
    while (is_quote_at(place)) ++place;
    const bool has_quotes = place != name_end;
    const std::size_t behind_quotes = place;
    place = behind_blanks(place);
    if (is_separator(at(place))) return read_separated(place, name_begin, has_quotes);
    const std::size_t behind_comma = behind_blanks(place + 1);
    if (has_quotes && at(place) == ',' && is_quote_at(behind_string_prefix(behind_comma)))
      return read_value(behind_comma, name_begin, false,
                        false);  // set_config('app.password', '...')
    const bool is_quoted_name =
        has_quotes && name_begin_ > range_.begin && is_quote(text_[name_begin_ - 1]);
    read_without_separator(is_quoted_name ? behind_quotes : name_end);
  }

  // password=..., "password": ...
  void read_separated(std::size_t place, std::size_t name_begin, bool has_quotes) {
    bool has_equals = false;
    for (; is_separator(at(place)); ++place) has_equals |= text_[place] == '=';
    const bool takes_word = has_equals || (has_quotes && text_[place - 1] == ':');
    read_value(behind_blanks(place), name_begin, takes_word, has_quotes && !has_equals);
  }

  // PASSWORD '...', SET x.password TO '...'
  void read_without_separator(std::size_t name_end) {
    std::size_t place = behind_blanks(name_end);
    if (place == text_.size()) {
      const bool is_all = place == name_end && name_begin_ == range_.begin;
      tail_ = is_all ? StringTail::name : StringTail::value;
      return;
    }
    if (equals_ignoring_case(text_.substr(place, 2), "to") && is_blank(at(place + 2)))
      place = behind_blanks(place + 2);
    read_value(place, name_end, false, false);
  }

  void read_value(std::size_t place, std::size_t name_begin, bool takes_word, bool is_json) {
    if (place >= text_.size()) {
      if (takes_word) tail_ = StringTail::name;
      return;
    }
    const std::size_t quote = behind_string_prefix(place);
    const std::size_t placeholder = placeholder_length(place);
    if (placeholder > 0) {
      has_placeholder_ = true;
      at_ = place + placeholder;
    } else if (const std::size_t tag = dollar_tag_length(text_.substr(place)); tag > 0) {
      read_dollar_quoted(place, tag);
    } else if (is_quote_at(quote)) {
      read_quoted(quote);
    } else if (takes_word) {
      read_unquoted(place, name_begin, is_json);
    }
  }

  // E'..', N'..', U&'..'
  [[nodiscard]] std::size_t behind_string_prefix(std::size_t place) const {
    const char first = lower_ascii(at(place));
    if ((first == 'e' || first == 'n') && is_quote_at(place + 1)) return place + 1;
    if (first == 'u' && at(place + 1) == '&' && is_quote_at(place + 2)) return place + 2;
    return place;
  }
  [[nodiscard]] bool is_quote_at(std::size_t place) const {
    while (at(place) == '\\') ++place;
    return is_quote(at(place));
  }

  // %s, %L, %1$I of format(), when that is all of the value.
  [[nodiscard]] std::size_t placeholder_length(std::size_t place) const {
    std::size_t end = place;
    while (is_quote(at(end))) ++end;
    if (at(end) != '%') return 0;
    ++end;
    while ((at(end) >= '0' && at(end) <= '9') || at(end) == '$' || at(end) == '-') ++end;
    if (!std::string_view("sLI").contains(at(end)) || end >= text_.size()) return 0;
    ++end;
    const bool is_all = end == text_.size() || !is_name_byte(text_[end]);
    return is_all ? end - place : 0;
  }

  // DO $$ ... format('ALTER ROLE r PASSWORD %L', '...') $$: the strings behind the one with the placeholder.
  void read_behind_format() {
    if (!std::exchange(is_behind_format_, true)) {
      while (is_quote_at(at_)) ++at_;
    } else {
      read_quoted(at_);
    }
  }

  void read_dollar_quoted(std::size_t place, std::size_t tag) {
    const std::size_t begin = place + tag;
    const std::size_t close = text_.find(text_.substr(place, tag), begin);
    if (close == std::string_view::npos) tail_ = StringTail::value;
    const std::size_t end = std::min(close, text_.size());
    mask(begin, end);
    at_ = close == std::string_view::npos ? end : end + tag;
  }

  // How often `quote` stands from `place` on.
  [[nodiscard]] std::size_t count_quotes(std::size_t place, const Quote& quote) const {
    std::size_t count = 0;
    const std::size_t size = quote.backslashes + 1;
    const auto stands_at = [&](std::size_t from) {
      for (std::size_t i = 0; i < quote.backslashes; ++i)
        if (at(from + i) != '\\') return false;
      return at(from + quote.backslashes) == quote.byte;
    };
    while (stands_at(place + count * size)) ++count;
    return count;
  }

  void read_quoted(std::size_t place) {
    Quote quote;
    while (at(place + quote.backslashes) == '\\') ++quote.backslashes;
    quote.byte = at(place + quote.backslashes);
    if (quote.byte == '\'' && quote.backslashes == 0) quote.bytes = range_.quote_bytes;
    quote.count = count_quotes(place, quote);
    const std::size_t begin = place + quote.count * (quote.backslashes + 1);
    at_ = begin;
    if (begin >= text_.size()) {
      tail_ = StringTail::name;
      return;
    }
    // '' and then nothing of a value: it is empty.
    const bool is_even = quote.count / quote.bytes % 2 == 0;
    if (is_even && quote.count >= 2 * quote.bytes && ends_value(text_[begin])) return;
    const std::size_t end = find_close(begin, quote);
    if (end == text_.size()) tail_ = StringTail::value;
    mask(begin, end);
    at_ = std::min(text_.size(), end + count_quotes(end, quote) * (quote.backslashes + 1));
  }
  static bool ends_value(char byte) {
    return is_blank(byte) || std::string_view(";,)}]").contains(byte);
  }

  // Where the value ends that `quote` has opened: at as many quotes; an even number of them within it stands for
  // some of its own. One behind more backslashes than the first belongs to the value.
  [[nodiscard]] std::size_t find_close(std::size_t place, const Quote& quote) const {
    const bool is_nested = quote.count / quote.bytes % 2 == 0;
    while (place < text_.size()) {
      std::size_t backslashes = 0;
      while (at(place + backslashes) == '\\') ++backslashes;
      const std::size_t byte = place + backslashes;
      if (backslashes != quote.backslashes || at(byte) != quote.byte) {
        place = byte + 1;
        continue;
      }
      const std::size_t count = count_quotes(place, quote);
      const bool closes = is_nested ? count >= quote.count : count / quote.bytes % 2 == 1;
      if (closes) return place;
      place += count * (quote.backslashes + 1);
    }
    return text_.size();
  }

  // password=abc: up to a blank that no backslash stands before; in a URI's query up to &, among ;-separated pairs up to ;.
  void read_unquoted(std::size_t begin, std::size_t name_begin, bool is_json) {
    const char before = name_begin > range_.begin ? text_[name_begin - 1] : ' ';
    const auto ends_here = [&](std::size_t place) {
      const char byte = text_[place];
      if (is_blank(byte)) return text_[place - 1] != '\\';
      if (is_json) return byte == ',' || byte == '}';
      return ((before == '?' || before == '&') && byte == '&') || (before == ';' && byte == ';');
    };
    std::size_t end = begin;
    while (end < text_.size() && !ends_here(end)) ++end;
    if (end == text_.size()) tail_ = end == begin ? StringTail::name : StringTail::value;
    at_ = end;
    if (end > begin) mask(begin, end);
  }

  std::string_view text_;  // up to the end of the range
  SecretTextRange range_;
  Masks* masks_;
  std::size_t at_;
  std::size_t name_begin_ = 0;  // of the last name, with its qualification: app.password
  std::size_t name_end_ = std::string_view::npos;
  StringTail tail_ = StringTail::closed;
  bool has_placeholder_ = false;
  bool is_behind_format_ = false;  // that string has ended
};

}  // namespace

StringTail find_secrets_in(std::string_view text, const SecretTextRange& range, Masks& masks,
                           Pace& pace) {
  return SecretScan(text, range, masks).run(pace);
}

}  // namespace helios::sql
