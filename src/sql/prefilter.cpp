// SPDX-License-Identifier: Apache-2.0
#include "sql/prefilter.hpp"

#include "base/text.hpp"

#include <array>
#include <cstdint>

namespace helios::sql {
namespace {

enum ByteClass : std::uint8_t {
  kPlain,
  kFirstOfNeedle,  // a letter that begins a needle or spoiler
  kFatal,          // semicolon, NUL
  kCommentMark,    // '-' or '/', which may begin a comment
};

constexpr std::string_view kNeedles[] = {"helios", "set_config", "pg_settings", "u&"};
constexpr std::string_view kWriters[] = {"into", "for", "insert", "update", "delete", "merge"};

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

constexpr auto kByteClasses = [] {
  std::array<ByteClass, 256> classes{};
  const auto mark = [&](char c, ByteClass byte_class) {
    classes[static_cast<unsigned char>(c)] = byte_class;
  };
  const auto mark_first = [&](std::string_view word) {
    mark(word[0], kFirstOfNeedle);
    mark(static_cast<char>(word[0] - 32), kFirstOfNeedle);
  };
  for (const std::string_view needle : kNeedles) mark_first(needle);
  for (const std::string_view writer : kWriters) mark_first(writer);
  mark(';', kFatal);
  mark('\0', kFatal);
  mark('-', kCommentMark);
  mark('/', kCommentMark);
  return classes;
}();

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool is_letter(char c) {
  return (lower(c) >= 'a' && lower(c) <= 'z') || c == '_' || static_cast<signed char>(c) < 0;
}

bool continues_word(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '$'; }

bool starts_with(std::string_view text, std::string_view lower_word) {
  if (text.size() < lower_word.size()) return false;
  for (std::size_t i = 0; i < lower_word.size(); ++i) {
    if (lower(text[i]) != lower_word[i]) return false;
  }
  return true;
}

bool starts_with_word(std::string_view text, std::string_view lower_word) {
  return starts_with(text, lower_word) &&
         (text.size() == lower_word.size() || !continues_word(text[lower_word.size()]));
}

// A digit before the word does not count as part of it: older servers read "1for" as two tokens.
bool is_writer_at(std::string_view text, std::size_t at) {
  if (at > 0 && is_letter(text[at - 1])) return false;
  for (const std::string_view writer : kWriters) {
    if (starts_with_word(text.substr(at), writer)) return true;
  }
  return false;
}

bool is_needle_at(std::string_view text, std::size_t at) {
  for (const std::string_view needle : kNeedles) {
    if (starts_with(text.substr(at), needle)) return true;
  }
  return false;
}

enum class Verb { other, reads, writes };

Verb first_word(std::string_view text) {
  switch (lower(text.empty() ? '\0' : text[0])) {
    case 's': return starts_with_word(text, "select") ? Verb::reads : Verb::other;
    case 'v': return starts_with_word(text, "values") ? Verb::reads : Verb::other;
    case 'w': return starts_with_word(text, "with") ? Verb::reads : Verb::other;
    case 'i': return starts_with_word(text, "insert") ? Verb::writes : Verb::other;
    case 'u': return starts_with_word(text, "update") ? Verb::writes : Verb::other;
    case 'd': return starts_with_word(text, "delete") ? Verb::writes : Verb::other;
    default: return Verb::other;
  }
}

// Does anything in the statement's text need the parser's eye?
bool is_plain(std::string_view text, bool reads, bool refuses_comments) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (kByteClasses[static_cast<unsigned char>(text[i])]) {
      case kPlain: break;
      case kFirstOfNeedle:
        if (is_needle_at(text, i) || (reads && is_writer_at(text, i))) return false;
        break;
      case kFatal: return false;
      case kCommentMark: {
        const std::string_view rest = text.substr(i, 2);
        if (refuses_comments && (rest == "--" || rest == "/*")) return false;
        break;
      }
    }
  }
  return true;
}

std::size_t trimmed_end(std::string_view text, std::size_t begin, std::size_t end) {
  while (end > begin && is_space(text[end - 1])) --end;
  return end;
}

}  // namespace

std::optional<PlainStatement> match_plain_statement(std::string_view text) {
  PlainStatement plain;
  while (plain.begin < text.size() && is_space(text[plain.begin])) ++plain.begin;
  plain.end = trimmed_end(text, plain.begin, text.size());
  const Verb verb = first_word(text.substr(plain.begin, plain.end - plain.begin));
  if (verb == Verb::other) return std::nullopt;
  // After a comment the last semicolon might be a part of it.
  const bool has_semicolon = text[plain.end - 1] == ';';
  if (has_semicolon) plain.end = trimmed_end(text, plain.begin, plain.end - 1);
  plain.is_read_only = verb == Verb::reads;
  if (!is_plain(text.substr(plain.begin, plain.end - plain.begin), plain.is_read_only,
                has_semicolon))
    return std::nullopt;
  return plain;
}

}  // namespace helios::sql
