// SPDX-License-Identifier: Apache-2.0
#include "sql/redact_statement.hpp"

#include "sql/secret_names.hpp"
#include "sql/secret_text.hpp"

#include <algorithm>
#include <utility>

namespace helios::sql {

namespace {

constexpr std::size_t kMd5VerifierBytes = 35;

// As PostgreSQL keeps and drivers send it: md5 and 32 hexadecimal digits.
bool is_md5_verifier(std::string_view text) {
  if (text.size() != kMd5VerifierBytes || !text.starts_with("md5")) return false;
  return text.find_first_not_of("0123456789abcdefABCDEF", 3) == std::string_view::npos;
}

// U&"...": what it says is written otherwise, and it may be anything.
bool is_escaped_name(std::string_view text) {
  return text.size() > 2 && lower_ascii(text[0]) == 'u' && text.substr(1, 2) == "&\"";
}

bool is_operator(char symbol) { return std::string_view("+-*/<>=~!@#%^&|`?:").contains(symbol); }

}  // namespace

void StatementRedactor::take(const RawToken& token) {
  using Kind = RawToken::Kind;
  if (token.kind == Kind::comment) {
    find_secrets_in(text_, {.begin = token.inner_begin, .end = token.inner_end}, *masks_, *pace_);
    return;
  }
  switch (token.kind) {
    case Kind::word: take_word(token); break;
    case Kind::quoted_name: take_name(token); break;
    case Kind::string: take_string(token); break;
    case Kind::symbol: take_symbol(text_[token.begin]); break;
    case Kind::number: behind_string_ = BehindString::no; break;
    case Kind::comment:
    case Kind::end: return;
  }
  if (token.kind != Kind::word) previous_word_ = RedactWord::other;
  if (token.kind != Kind::word && token.kind != Kind::quoted_name) is_behind_secret_name_ = false;
  if (token.kind != Kind::string) was_masked_ = false;
  previous_ = token;
}

bool StatementRedactor::takes_options() {
  return sets_options_ || frame().kind == FrameKind::options;
}

void StatementRedactor::take_word(const RawToken& token) {
  const RedactWord word = redact_word(text_of(token));
  note_first_words(word);
  if (word == RedactWord::other || word == RedactWord::connection || word == RedactWord::options) {
    take_name(token);
  } else {
    note_keyword(word);
    is_behind_secret_name_ = false;
  }
  previous_word_ = word;
}

void StatementRedactor::take_name(const RawToken& token) {
  const std::string_view name = text_of(token);
  const bool is_escaped = is_escaped_name(text_.substr(token.begin));
  const bool is_secret =
      is_escaped || (takes_options() ? is_secret_option(name) : is_secret_name(name));
  look_behind(is_secret);
  is_behind_secret_name_ = is_secret;
  if (!is_secret) return;
  armed_ = Armed::by_name;
  note_name_in_frame(is_secret);
}

// '...' = password: the string has been passed already.
void StatementRedactor::look_behind(bool is_secret) {
  if (behind_string_ == BehindString::no) return;
  if (behind_string_ != BehindString::at_operator) {
    behind_string_ = BehindString::no;
  } else if (is_secret) {
    masks_->cover(last_string_.inner_begin, last_string_.inner_end);
    behind_string_ = BehindString::no;
  } else {
    behind_string_ = BehindString::at_qualification;
  }
}

void StatementRedactor::note_name_in_frame(bool is_secret) {
  Frame& here = frame();
  here.has_secret_name |= is_secret;
  if (here.kind == FrameKind::columns && here.argument < kMaxColumns)
    secret_columns_.set(here.argument);
}

void StatementRedactor::take_string(const RawToken& token) {
  behind_string_ = BehindString::no;
  if (is_secret(token)) {
    masks_->add(token.inner_begin, token.inner_end);
    was_masked_ = true;
    armed_ = Armed::no;
    return;
  }
  was_masked_ = false;
  last_string_ = token;
  behind_string_ = BehindString::at_string;
  scan_inside(token);
  note_value(token);
}

// set_config(value => '...', setting_name => 'app.password'): the name may stand behind its value.
void StatementRedactor::note_value(const RawToken& string) {
  if (armed_ == Armed::by_string_name && last_value_.kind == RawToken::Kind::string)
    masks_->cover(last_value_.inner_begin, last_value_.inner_end);
  const bool is_named = previous_.kind == RawToken::Kind::symbol && text_[previous_.begin] == '>' &&
                        previous_.begin > 0 && text_[previous_.begin - 1] == '=';
  if (is_named) last_value_ = string;
}

bool StatementRedactor::is_secret(const RawToken& string) const {
  const bool is_behind_string = previous_.kind == RawToken::Kind::string;
  const bool goes_on = is_behind_string && (was_masked_ || armed_ == Armed::by_string_name ||
                                            armed_ == Armed::by_string_value);
  return masks_now() || goes_on || is_behind_secret_name_ || depth_ > kMaxDepth ||
         previous_word_ == RedactWord::connection || is_md5_verifier(text_of(string));
}

void StatementRedactor::scan_inside(const RawToken& token) {
  const StringTail tail = find_secrets_in(text_,
                                          {.begin = token.inner_begin,
                                           .end = token.inner_end,
                                           .quote_bytes = token.is_dollar_quoted ? 1U : 2U},
                                          *masks_, *pace_);
  switch (tail) {
    case StringTail::closed: armed_ = Armed::no; break;
    case StringTail::name: armed_ = Armed::by_string_name; break;
    case StringTail::value: armed_ = Armed::by_string_value; break;
    case StringTail::placeholder:
      armed_ = Armed::no;
      start_masking(Until::list);
      break;
  }
}

void StatementRedactor::take_symbol(char symbol) {
  switch (symbol) {
    case '(':
    case '[': return open(symbol);
    case ')':
    case ']': return close();
    case ',': return take_comma();
    case ';': return end_statement();
    case '.':
      // Of a qualified name, the last part decides; of a setting, any.
      if (armed_ == Armed::by_name && !takes_options()) armed_ = Armed::no;
      if (behind_string_ == BehindString::at_qualification)
        behind_string_ = BehindString::at_operator;
      return;
    default: return take_operator(symbol);
  }
}

void StatementRedactor::take_operator(char symbol) {
  if (!is_operator(symbol)) return;
  if (armed_ != Armed::no) start_masking(Until::expression);
  if (behind_string_ == BehindString::at_string) behind_string_ = BehindString::at_operator;
  if (behind_string_ == BehindString::at_qualification) behind_string_ = BehindString::no;
}

void StatementRedactor::take_comma() {
  behind_string_ = BehindString::no;
  if (masks_from_ == depth_ && until_ != Until::list) stop_masking();
  Frame& here = frame();
  ++here.argument;
  const bool takes_next = armed_ == Armed::by_string_name;
  armed_ = Armed::no;
  begin_argument();
  if (takes_next) start_masking(Until::expression);
}

// An argument or a column's value that is a secret.
void StatementRedactor::begin_argument() {
  const Frame& here = frame();
  const bool is_secret_value =
      here.kind == FrameKind::row && here.argument < kMaxColumns && secret_columns_[here.argument];
  const bool is_secret_argument = here.kind == FrameKind::call && here.argument < 8 &&
                                  ((here.secret_arguments >> here.argument) & 1U) != 0;
  if (is_secret_value || is_secret_argument) start_masking(Until::argument);
}

void StatementRedactor::start_masking(Until until) {
  armed_ = Armed::no;
  if (masks_now()) return;
  masks_from_ = depth_;
  until_ = until;
}

StatementRedactor::Frame StatementRedactor::frame_for_parenthesis() {
  if (previous_word_ == RedactWord::options) return {.kind = FrameKind::options};
  if (insert_ == Insert::begun) {
    insert_ = Insert::has_columns;
    return {.kind = FrameKind::columns};
  }
  if (rows_at_ == depth_) return {.kind = FrameKind::row};
  if (previous_.kind != RawToken::Kind::word && previous_.kind != RawToken::Kind::quoted_name)
    return {};
  return {.kind = FrameKind::call,
          .secret_arguments = static_cast<std::uint8_t>(secret_arguments_of(text_of(previous_)))};
}

void StatementRedactor::open(char symbol) {
  // '...' IN (password), '...' = lower(password)
  behind_string_ = behind_string_ == BehindString::no || behind_string_ == BehindString::at_string
                       ? BehindString::no
                       : BehindString::at_operator;
  last_value_.kind = RawToken::Kind::end;
  const bool is_called = symbol == '(' && is_behind_secret_name_;
  const Frame opened = symbol == '(' ? frame_for_parenthesis() : Frame{};
  armed_ = Armed::no;
  push(opened);
  begin_argument();
  // The arguments of an EXECUTE are values of parameters, and nobody knows what for.
  if (std::exchange(runs_prepared_, false)) start_masking(Until::list);
  // password('...'), and CHECK or IN behind such a name would be an operator.
  if (is_called && opened.kind == FrameKind::call) start_masking(Until::list);
}

void StatementRedactor::push(const Frame& opened) {
  ++depth_;
  if (depth_ <= kMaxDepth) frame() = opened;
}

void StatementRedactor::pop() {
  last_value_.kind = RawToken::Kind::end;
  if (depth_ == 0) return;
  const bool has_secret_name = depth_ <= kMaxDepth && frame().has_secret_name;
  --depth_;
  if (masks_now() && depth_ < masks_from_) stop_masking();
  if (rows_at_ != kNowhere && depth_ < rows_at_) rows_at_ = kNowhere;
  armed_ = has_secret_name ? Armed::by_name : Armed::no;
  frame().has_secret_name |= has_secret_name;
}

void StatementRedactor::close() {
  if (behind_string_ != BehindString::at_string) behind_string_ = BehindString::no;
  while (depth_ > 0 && depth_ <= kMaxDepth && frame().kind == FrameKind::case_end) pop();
  pop();
}

void StatementRedactor::end_statement() {
  depth_ = 0;
  frames_[0] = {};
  stop_masking();
  armed_ = Armed::no;
  behind_string_ = BehindString::no;
  words_ = 0;
  verb_ = RedactWord::other;
  sets_options_ = false;
  runs_prepared_ = false;
  is_between_ = false;
  last_value_.kind = RawToken::Kind::end;
  insert_ = Insert::no;
  secret_columns_.reset();
  rows_at_ = kNowhere;
}

// SET and ALTER ROLE | SYSTEM | DATABASE | ... change settings.
void StatementRedactor::note_first_words(RedactWord word) {
  if (words_ == 0) verb_ = word;
  if (words_ == 0) sets_options_ = word == RedactWord::set;
  if (words_ == 1 && verb_ == RedactWord::alter) sets_options_ = word != RedactWord::table;
  words_ = std::min<std::size_t>(words_ + 1, 2);
}

void StatementRedactor::note_keyword(RedactWord word) {
  const bool compares =
      word == RedactWord::comparison || word == RedactWord::between || word == RedactWord::as;
  is_between_ |= word == RedactWord::between;
  behind_string_ = compares && behind_string_ == BehindString::at_string ? BehindString::at_operator
                                                                         : BehindString::no;
  switch (word) {
    case RedactWord::comparison:
    case RedactWord::between:
    case RedactWord::distinct:
      if (armed_ != Armed::no) start_masking(Until::expression);
      return;
    case RedactWord::to:
      if (armed_ != Armed::no && takes_options()) start_masking(Until::expression);
      return;
    case RedactWord::from:
      if (previous_word_ != RedactWord::distinct) begin_clause(word);
      return;
    case RedactWord::case_word: return push({.kind = FrameKind::case_end});
    case RedactWord::end_word:
      if (depth_ <= kMaxDepth && frame().kind == FrameKind::case_end) pop();
      return;
    case RedactWord::when: return note_when();
    case RedactWord::connective:
    case RedactWord::as:
      if (std::exchange(is_between_, false) && masks_from_ == depth_) return;
      if (masks_from_ == depth_ && until_ == Until::expression) stop_masking();
      armed_ = Armed::no;
      return;
    case RedactWord::clause:
    case RedactWord::select:
    case RedactWord::insert:
    case RedactWord::values:
    case RedactWord::set: return begin_clause(word);
    case RedactWord::execute: runs_prepared_ = true; return;
    case RedactWord::routine: runs_prepared_ = false; return;  // EXECUTE FUNCTION of a trigger
    case RedactWord::alter:
    case RedactWord::table:
    case RedactWord::other:
    case RedactWord::options:
    case RedactWord::connection: return;
  }
}

// CASE password WHEN '...'
void StatementRedactor::note_when() {
  const bool compares = is_behind_secret_name_;
  if (masks_from_ == depth_ && until_ == Until::expression) stop_masking();
  armed_ = Armed::no;
  if (compares) start_masking(Until::expression);
}

void StatementRedactor::begin_clause(RedactWord word) {
  // ALTER COLUMN password SET DEFAULT '...'
  if (word == RedactWord::set && verb_ == RedactWord::alter && !sets_options_) return;
  if (masks_from_ == depth_ && until_ != Until::argument) stop_masking();
  armed_ = Armed::no;
  runs_prepared_ = false;
  if (rows_at_ == depth_) rows_at_ = kNowhere;
  const bool has_secret_columns = insert_ == Insert::has_columns && secret_columns_.any();
  if (word == RedactWord::values && has_secret_columns) rows_at_ = depth_;
  // INSERT INTO users (password) SELECT ... FROM (VALUES ...): which column is which, nobody can say.
  if (word == RedactWord::values && !has_secret_columns && secret_columns_.any())
    start_masking(Until::list);
  if (word == RedactWord::select && has_secret_columns) start_masking(Until::list);
  if (word == RedactWord::select || word == RedactWord::values) insert_ = Insert::no;
  if (word == RedactWord::insert) {
    insert_ = Insert::begun;
    secret_columns_.reset();
  }
}

}  // namespace helios::sql
