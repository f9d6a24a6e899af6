// SPDX-License-Identifier: Apache-2.0
#pragma once

// Analyses by text and reading rules, bounded in bytes; the least recently used make room.
// Thread rule: one thread.

#include "sql/analysis.hpp"

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace helios::sql {

class AnalysisCache {
 public:
  explicit AnalysisCache(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  // The stored analysis, or null. Allocates nothing.
  [[nodiscard]] std::shared_ptr<const Analysis> find(std::string_view text, ReadingRules rules);

  // Stores an analysis; one that is larger than the whole cache is not kept. Requires: find() has
  // just answered null for this text and these rules.
  void insert(std::string_view text, ReadingRules rules, std::shared_ptr<const Analysis> analysis);

  // What the entries take, estimated; never more than the bound.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  // Of an entry in the index, `text` is that of the entry itself.
  struct Key {
    std::string_view text;
    ReadingRules rules;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };
  struct Entry {
    std::string text;
    ReadingRules rules;
    std::shared_ptr<const Analysis> analysis;
    std::size_t bytes = 0;
  };
  using Entries = std::list<Entry>;

  void evict_last();

  std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  Entries entries_;  // the most recently used first
  std::unordered_map<Key, Entries::iterator, KeyHash> index_;
};

}  // namespace helios::sql
