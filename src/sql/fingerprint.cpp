// SPDX-License-Identifier: Apache-2.0
#include "sql/analyzer.hpp"
#include "sql/parse_tree.h"
#include "sql/prepare_thread.hpp"

#include <list>
#include <string>
#include <unordered_map>

namespace helios::sql {
namespace {

using Fingerprint = std::optional<std::uint64_t>;

// Texts that an application repeats are read once. A cache of its own: the pre-filter's analyses, which
// most texts share, have no text. Longer texts are mostly data, and do not come again.
class FingerprintCache {
 public:
  static constexpr std::size_t kMaxEntries = 1024;
  static constexpr std::size_t kMaxTextBytes = 1024;

  const Fingerprint* find(const std::string& key) const {
    const auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : &found->second;
  }

  // The oldest makes room.
  void insert(std::string key, Fingerprint value) {
    if (key.size() > kMaxTextBytes) return;
    if (order_.size() == kMaxEntries) {
      entries_.erase(order_.front());
      order_.pop_front();
    }
    order_.push_back(key);
    entries_.emplace(std::move(key), value);
  }

 private:
  std::unordered_map<std::string, Fingerprint> entries_;
  std::list<std::string> order_;
};

}  // namespace

std::optional<std::uint64_t> fingerprint(std::string_view text, bool standard_conforming_strings) {
  if (text.size() > kLargeTextBytes || text.contains('\0')) return std::nullopt;
  thread_local FingerprintCache cache;
  std::string key(text);
  key.push_back(standard_conforming_strings ? '1' : '0');
  if (const Fingerprint* const known = cache.find(key)) return *known;
  prepare_thread();
  Fingerprint value;
  if (std::uint64_t bits = 0;
      sql_fingerprint(std::string(text).c_str(), standard_conforming_strings, &bits))
    value = bits;
  cache.insert(std::move(key), value);
  return value;
}

}  // namespace helios::sql
