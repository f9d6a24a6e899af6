// SPDX-License-Identifier: Apache-2.0
#include "sql/cache.hpp"

#include <functional>
#include <utility>

namespace helios::sql {
namespace {

// Nodes, buckets and allocator headers, on top of what can be counted.
constexpr std::size_t kEntryOverheadBytes = 256;

std::size_t bytes_of(const Analysis& analysis);

std::size_t bytes_of(const Facts& facts) {
  std::size_t bytes = 0;
  for (const Relation& relation : facts.relations)
    bytes +=
        sizeof relation + relation.catalog.size() + relation.schema.size() + relation.name.size();
  for (const Function& function : facts.functions)
    bytes += sizeof function + function.schema.size() + function.name.size();
  return bytes;
}

std::size_t bytes_of(const Statement& statement) {
  std::size_t bytes = sizeof statement + statement.savepoint.size() + statement.name.size();
  bytes += bytes_of(statement.facts);
  for (const SettingChange& change : statement.settings) {
    bytes += sizeof change + change.name.size() + change.value.size();
    if (!change.bound) continue;
    bytes += sizeof(BoundArguments) + change.bound->name.value_or("").size() +
             change.bound->value.value_or("").size();
  }
  if (statement.query) bytes += bytes_of(*statement.query);
  for (const ExecuteArgument& argument : statement.arguments)
    bytes += sizeof argument + argument.text.value_or("").size();
  for (const KvCall& call : statement.kv_calls) {
    bytes += sizeof call + call.problem.size();
    for (const KvArgument& argument : call.arguments)
      bytes += sizeof argument + argument.constant.value_or("").size();
  }
  return bytes;
}

std::size_t bytes_of(const Analysis& analysis) {
  std::size_t bytes = sizeof analysis + analysis.error.size();
  for (const Statement& statement : analysis.statements) bytes += bytes_of(statement);
  return bytes;
}

}  // namespace

std::size_t AnalysisCache::KeyHash::operator()(const Key& key) const {
  const std::size_t rules = (key.rules.standard_conforming_strings ? 1U : 0U) |
                            (key.rules.encoding_is_ascii_safe ? 2U : 0U);
  return std::hash<std::string_view>{}(key.text) ^ (rules * 0x9E3779B97F4A7C15U);
}

std::shared_ptr<const Analysis> AnalysisCache::find(std::string_view text, ReadingRules rules) {
  const auto found = index_.find(Key{text, rules});
  if (found == index_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->analysis;
}

void AnalysisCache::insert(std::string_view text, ReadingRules rules,
                           std::shared_ptr<const Analysis> analysis) {
  const std::size_t bytes = kEntryOverheadBytes + text.size() + bytes_of(*analysis);
  if (bytes > max_bytes_) return;
  while (bytes_ + bytes > max_bytes_) evict_last();
  entries_.push_front({std::string(text), rules, std::move(analysis), bytes});
  index_.emplace(Key{entries_.front().text, rules}, entries_.begin());
  bytes_ += bytes;
}

void AnalysisCache::evict_last() {
  const Entry& last = entries_.back();
  bytes_ -= last.bytes;
  index_.erase(Key{last.text, last.rules});
  entries_.pop_back();
}

}  // namespace helios::sql
