// SPDX-License-Identifier: Apache-2.0
#include "sql/redact_words.hpp"

#include "sql/raw_tokens.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace helios::sql {

namespace {

struct Entry {
  std::string_view word;
  RedactWord meaning;
};

// Sorted by word.
constexpr std::array kWords = std::to_array<Entry>({
    {"alter", RedactWord::alter},
    {"and", RedactWord::connective},
    {"as", RedactWord::as},
    {"between", RedactWord::between},
    {"case", RedactWord::case_word},
    {"connection", RedactWord::connection},
    {"default", RedactWord::comparison},
    {"delete", RedactWord::clause},
    {"distinct", RedactWord::distinct},
    {"do", RedactWord::clause},
    {"else", RedactWord::connective},
    {"end", RedactWord::end_word},
    {"except", RedactWord::clause},
    {"execute", RedactWord::execute},
    {"from", RedactWord::from},
    {"function", RedactWord::routine},
    {"group", RedactWord::clause},
    {"having", RedactWord::clause},
    {"ilike", RedactWord::comparison},
    {"in", RedactWord::comparison},
    {"insert", RedactWord::insert},
    {"intersect", RedactWord::clause},
    {"join", RedactWord::clause},
    {"like", RedactWord::comparison},
    {"limit", RedactWord::clause},
    {"offset", RedactWord::clause},
    {"on", RedactWord::clause},
    {"options", RedactWord::options},
    {"or", RedactWord::connective},
    {"order", RedactWord::clause},
    {"procedure", RedactWord::routine},
    {"returning", RedactWord::clause},
    {"select", RedactWord::select},
    {"set", RedactWord::set},
    {"similar", RedactWord::comparison},
    {"table", RedactWord::table},
    {"then", RedactWord::connective},
    {"to", RedactWord::to},
    {"union", RedactWord::clause},
    {"update", RedactWord::clause},
    {"using", RedactWord::clause},
    {"values", RedactWord::values},
    {"when", RedactWord::when},
    {"where", RedactWord::clause},
    {"window", RedactWord::clause},
});

constexpr std::size_t kLongestWord = 10;

}  // namespace

RedactWord redact_word(std::string_view word) {
  if (word.size() > kLongestWord) return RedactWord::other;
  std::array<char, kLongestWord> lower{};
  std::ranges::transform(word, lower.begin(), lower_ascii);
  const std::string_view key(lower.data(), word.size());
  const auto* const found = std::ranges::lower_bound(kWords, key, {}, &Entry::word);
  return found != kWords.end() && found->word == key ? found->meaning : RedactWord::other;
}

}  // namespace helios::sql
