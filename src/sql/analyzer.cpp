// SPDX-License-Identifier: Apache-2.0
#include "sql/analyzer.hpp"

#include "sql/cache.hpp"
#include "sql/prefilter.hpp"

#include <array>
#include <utility>

namespace helios::sql {
namespace {

// The analyses of plain statements differ only in three numbers, so few of them serve nearly all
// texts. Shared and immutable like any other.
class PlainAnalyses {
 public:
  std::shared_ptr<const Analysis> get(const PlainStatement& plain) {
    std::shared_ptr<const Analysis>& slot = slots_[plain.end % slots_.size()];
    if (slot == nullptr || !is_of(slot->statements.front(), plain)) slot = make(plain);
    return slot;
  }

 private:
  static bool is_of(const Statement& statement, const PlainStatement& plain) {
    return statement.begin == plain.begin && statement.end == plain.end &&
           statement.is_read_only == plain.is_read_only;
  }

  static std::shared_ptr<const Analysis> make(const PlainStatement& plain) {
    auto analysis = std::make_shared<Analysis>();
    analysis->parsed = true;
    Statement& statement = analysis->statements.emplace_back();
    statement.begin = plain.begin;
    statement.end = plain.end;
    statement.is_read_only = plain.is_read_only;
    return analysis;
  }

  std::array<std::shared_ptr<const Analysis>, 256> slots_;
};

}  // namespace

class Analyzer::Impl {
 public:
  explicit Impl(const Options& options) : options_(options), cache_(options.cache_bytes) {}

  std::shared_ptr<const Analysis> analyze(std::string_view text, ReadingRules rules) {
    if (rules.encoding_is_ascii_safe) {
      if (const auto plain = match_plain_statement(text)) {
        ++counters_.prefiltered;
        return plain_analyses_.get(*plain);
      }
    }
    return analyze_with_facts(text, rules);
  }

  std::shared_ptr<const Analysis> analyze_with_facts(std::string_view text, ReadingRules rules) {
    const bool is_cacheable = text.size() <= options_.max_cached_text_bytes;
    if (is_cacheable) {
      if (auto found = cache_.find(text, rules)) {
        ++counters_.hits;
        return found;
      }
    }
    ++counters_.misses;
    auto analysis = parse(text, rules);
    if (is_cacheable) cache_.insert(text, rules, analysis);
    return analysis;
  }

  const Counters& counters() const { return counters_; }

 private:
  Options options_;
  PlainAnalyses plain_analyses_;
  AnalysisCache cache_;
  Counters counters_;
};

Analyzer::Analyzer(Options options) : impl_(std::make_unique<Impl>(options)) {}
Analyzer::~Analyzer() = default;

std::shared_ptr<const Analysis> Analyzer::analyze(std::string_view text, ReadingRules rules) {
  return impl_->analyze(text, rules);
}

std::shared_ptr<const Analysis> Analyzer::analyze_with_facts(std::string_view text,
                                                             ReadingRules rules) {
  return impl_->analyze_with_facts(text, rules);
}

const Analyzer::Counters& Analyzer::counters() const { return impl_->counters(); }

}  // namespace helios::sql
