// SPDX-License-Identifier: Apache-2.0
#include "app/usage_watch.hpp"

#include <utility>

namespace helios::app {
namespace {

constexpr std::uint64_t kWarnPercent = 80;
constexpr std::uint64_t kCalmPercent = 70;
constexpr std::size_t kMaxWarnings = 16;  // of a thousand namespaces, in one answer

// Requires: limit is not 0.
std::uint64_t percent_of(std::uint64_t used, std::uint64_t limit) { return used * 100 / limit; }

}  // namespace

std::vector<UsageWatch::Quota> UsageWatch::measure(bool has_directory) {
  const kv::Limits& limits = store_.limits();
  std::vector<Quota> all;
  for (kv::Namespace* space : store_.namespaces()) {
    const kv::Usage usage = store_.usage(*space);
    const std::string what = "the namespace " + space->name() + " holds";
    all.push_back({what, "[kv] max_keys_per_namespace", usage.keys, limits.max_keys_per_namespace});
    all.push_back(
        {what, "[kv] max_bytes_per_namespace", usage.bytes, limits.max_bytes_per_namespace});
  }
  const kv::Usage total = store_.total_usage();
  all.push_back({"all namespaces together hold", "[kv] max_total_bytes", total.bytes,
                 limits.max_total_bytes});
  if (has_directory)
    all.push_back({"all streams together hold", "[state] max_stream_bytes", total.stream_bytes,
                   limits.max_stream_bytes});
  return all;
}

void UsageWatch::look(bool has_directory, const std::vector<std::string>& troubles) {
  Warnings now;
  std::vector<std::string> fresh;
  {
    const std::scoped_lock lock(mutex_);
    for (const Quota& quota : measure(has_directory)) {
      const std::string name = quota.what + quota.key;
      const bool was_near = warnings_.contains(name);
      const std::uint64_t percent = percent_of(quota.used, quota.limit);
      if (percent < (was_near ? kCalmPercent : kWarnPercent)) continue;
      std::string text = quota.what + " " + std::to_string(percent) + " % of " + quota.key + " = " +
                         std::to_string(quota.limit);
      if (!was_near) fresh.push_back(text);
      now[name] = std::move(text);
    }
    for (const std::string& trouble : troubles) now[trouble] = trouble;
    warnings_ = std::move(now);
  }
  for (const std::string& text : fresh) log_.write(base::LogLevel::warning, "state: " + text);
}

std::vector<std::string> UsageWatch::warnings() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> lines;
  for (const auto& [name, text] : warnings_) {
    if (lines.size() == kMaxWarnings) {
      lines.push_back("and " + std::to_string(warnings_.size() - kMaxWarnings) + " more");
      break;
    }
    lines.push_back(text);
  }
  return lines;
}

}  // namespace helios::app
