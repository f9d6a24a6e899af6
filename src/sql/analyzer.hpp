// SPDX-License-Identifier: Apache-2.0
#pragma once

// Text -> Analysis, with libpg_query behind it. This module is the only user of that library.

#include "sql/analysis.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace helios::sql {

// Texts from this size on should be parsed off the event loop: parse() takes about 10 us per kB.
inline constexpr std::size_t kLargeTextBytes = 64 * 1024;

// The most that the tree of a text may take while it is read: kMinTreeBytes, and
// kTreeBytesPerTextByte for each byte of the text. Large texts of data (INSERT, IN lists) take 5 to 35
// times their size; some that nobody writes, such as "show a;show a;", would take 220 times. What
// would take more is not parsed.
inline constexpr std::size_t kMinTreeBytes = 64U << 20U;
inline constexpr std::size_t kTreeBytesPerTextByte = 32;

// Reads `text` with PostgreSQL's grammar. Pure; no cache. Thread rule: any thread, also many at once.
[[nodiscard]] std::shared_ptr<const Analysis> parse(std::string_view text, ReadingRules rules);

// The grammar's fingerprint of one statement: the same for texts that differ in constants, layout and
// comments alone. Nothing when the grammar refuses the text, and for one of more than kLargeTextBytes:
// it is asked for where a worker would wait. Each thread keeps the newest ones. Thread rule: any thread.
// Requires: the text's encoding is ASCII-safe.
[[nodiscard]] std::optional<std::uint64_t> fingerprint(std::string_view text,
                                                       bool standard_conforming_strings);

// Is a client_encoding (as ParameterStatus reports it) safe in the sense of ReadingRules?
[[nodiscard]] bool is_ascii_safe_encoding(std::string_view encoding);

// parse() behind a pre-filter and a cache by text and rules, bounded in bytes and evicting the
// least recently used. Thread rule: one thread (each worker has its own).
class Analyzer {
 public:
  struct Options {
    std::size_t cache_bytes = 4 << 20;         // texts + analyses, estimated
    std::size_t max_cached_text_bytes = 8192;  // longer texts are parsed every time
  };
  explicit Analyzer(Options options);
  ~Analyzer();

  // The analysis, from cheapest to dearest: the pre-filter (one hooked statement that certainly
  // contains nothing of interest: no second statement, no setting, no helios.*), the cache, parse().
  // The pre-filter only ever errs towards parsing. What it takes has no facts.
  [[nodiscard]] std::shared_ptr<const Analysis> analyze(std::string_view text, ReadingRules rules);

  // The same without the pre-filter: each statement of a text that parsed has facts. So a text that
  // comes for the first time is parsed, which is some 10 us where the pre-filter takes less than one.
  // For whoever wants facts; it shares the cache with analyze().
  [[nodiscard]] std::shared_ptr<const Analysis> analyze_with_facts(std::string_view text,
                                                                   ReadingRules rules);

  struct Counters {
    std::uint64_t prefiltered = 0;
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
  };
  [[nodiscard]] const Counters& counters() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace helios::sql
