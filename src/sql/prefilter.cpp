// SPDX-License-Identifier: Apache-2.0
#include "sql/prefilter.hpp"

#include <array>
#include <bit>
#include <cstdint>

namespace helios::sql {
namespace {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

using namespace std::string_view_literals;

// The scan stops only where one of these ends, for a closer look: the beginnings of the words below,
// of comments, and bytes that need no second one. None is the end of another: one at most ends at a byte.
constexpr std::string_view kBeginnings[] = {"hel"sv, "set"sv, "pg_"sv, "u&"sv,  "int"sv,
                                            "ins"sv, "for"sv, "upd"sv, "del"sv, "mer"sv,
                                            "--"sv,  "/*"sv,  ";"sv,   "\0"sv};

static_assert([] {
  for (const std::string_view a : kBeginnings) {
    for (const std::string_view b : kBeginnings) {
      if (a != b && a.ends_with(b)) return false;
    }
  }
  return true;
}());

// Shift-And (Baeza-Yates and Gonnet, "A new approach to text searching", 1992): a bit for each byte of
// each beginning, set while that beginning matches up to this byte.
struct Bits {
  std::uint64_t first = 0;                  // the first bytes of all
  std::uint64_t last = 0;                   // the last bytes of all
  std::array<std::uint64_t, 256> of{};      // where a byte, as small letter or capital, stands
  std::array<std::uint8_t, 64> distance{};  // by bit of a last byte: how far behind the first it is
};

constexpr Bits kBits = [] {
  Bits bits;
  unsigned bit = 0;
  for (const std::string_view beginning : kBeginnings) {
    bits.first |= std::uint64_t{1} << bit;
    for (const char c : beginning) {
      for (unsigned byte = 0; byte < 256; ++byte) {
        if (lower(static_cast<char>(byte)) == c) bits.of[byte] |= std::uint64_t{1} << bit;
      }
      ++bit;
    }
    bits.last |= std::uint64_t{1} << (bit - 1);
    bits.distance[bit - 1] = static_cast<std::uint8_t>(beginning.size() - 1);
  }
  return bits;
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

bool is_needle_at(std::string_view text, std::size_t at) {
  const std::string_view rest = text.substr(at);
  switch (lower(rest[0])) {
    case 'h': return starts_with(rest, "helios");
    case 's': return starts_with(rest, "set_config");
    case 'p': return starts_with(rest, "pg_settings");
    case 'u': return starts_with(rest, "u&");
    default: return false;
  }
}

// A digit before the word does not count as part of it: older servers read "1for" as two tokens.
bool is_writer_at(std::string_view text, std::size_t at) {
  if (at > 0 && is_letter(text[at - 1])) return false;
  const std::string_view rest = text.substr(at);
  switch (lower(rest[0])) {
    case 'i': return starts_with_word(rest, "into") || starts_with_word(rest, "insert");
    case 'f': return starts_with_word(rest, "for");
    case 'u': return starts_with_word(rest, "update");
    case 'd': return starts_with_word(rest, "delete");
    case 'm': return starts_with_word(rest, "merge");
    default: return false;
  }
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

bool is_harmless_at(std::string_view text, std::size_t at, bool reads, bool allows_comments) {
  switch (text[at]) {
    case ';':
    case '\0': return false;
    case '-':
    case '/': return allows_comments;
    default: return !is_needle_at(text, at) && !(reads && is_writer_at(text, at));
  }
}

// Is there nothing in the statement's text that needs the parser's eye?
bool is_plain(std::string_view text, bool reads, bool allows_comments) {
  std::uint64_t matching = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    matching = (matching << 1 | kBits.first) & kBits.of[static_cast<unsigned char>(text[i])];
    if (const std::uint64_t ended = matching & kBits.last; ended != 0) [[unlikely]] {
      const std::size_t at = i - kBits.distance[static_cast<std::size_t>(std::countr_zero(ended))];
      if (!is_harmless_at(text, at, reads, allows_comments)) return false;
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
                !has_semicolon))
    return std::nullopt;
  return plain;
}

}  // namespace helios::sql
