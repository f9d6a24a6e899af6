// SPDX-License-Identifier: Apache-2.0
#include "plugins/supply/full_namespace.hpp"

#include <algorithm>
#include <utility>

namespace helios::plugins {

namespace {

constexpr std::int64_t kLogEveryNs = 60'000'000'000;

std::string reached(std::string_view what, std::uint64_t present, std::string_view key,
                    std::uint64_t limit) {
  return std::string(what) + " " + std::to_string(present) + ", [kv] " + std::string(key) + " = " +
         std::to_string(limit);
}

}  // namespace

std::optional<std::string> limit_reached(kv::Store& store, kv::Namespace& space,
                                         std::uint64_t bytes) {
  const kv::Limits& limits = store.limits();
  const kv::Usage here = store.usage(space);
  if (here.keys >= limits.max_keys_per_namespace)
    return reached("its keys are", here.keys, "max_keys_per_namespace",
                   limits.max_keys_per_namespace);
  if (here.bytes + bytes > limits.max_bytes_per_namespace)
    return reached("its bytes are", here.bytes, "max_bytes_per_namespace",
                   limits.max_bytes_per_namespace);
  const kv::Usage all = store.total_usage();
  if (all.bytes + bytes > limits.max_total_bytes)
    return reached("the bytes of all are", all.bytes, "max_total_bytes", limits.max_total_bytes);
  return std::nullopt;
}

std::string to_text(const RefusedWrite& write, kv::Store& store, kv::Namespace& space) {
  const kv::Limits& limits = store.limits();
  const std::string begin = std::string(write.operation) + " was refused: ";
  switch (write.status) {
    case kv::WriteStatus::ok: break;
    case kv::WriteStatus::invalid_key:
      return begin + "the key is empty or over [kv] max_key_bytes = " +
             std::to_string(limits.max_key_bytes);
    case kv::WriteStatus::value_too_large:
      return begin +
             "the value is over [kv] max_value_bytes = " + std::to_string(limits.max_value_bytes);
    case kv::WriteStatus::transaction_too_large:
      return begin + "the call writes more than one call may";
    case kv::WriteStatus::failed: return begin + "the namespace is read-only";
    case kv::WriteStatus::namespace_full:
    case kv::WriteStatus::store_full:
      // What the call has written before may be what fills it.
      return begin + "the namespace is full: " +
             limit_reached(store, space, write.bytes)
                 .value_or("what the call writes exceeds what is left of [kv]");
  }
  return begin;
}

bool FullNamespace::note_refused(std::uint64_t bytes, std::int64_t now_ns) {
  refused_bytes_.store(std::max<std::uint64_t>(bytes, 1), std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  if (logged_at_ns_ != INT64_MIN && now_ns - logged_at_ns_ < kLogEveryNs) return false;
  logged_at_ns_ = now_ns;
  return true;
}

std::optional<std::string> FullNamespace::reason(kv::Store& store, kv::Namespace& space) const {
  std::uint64_t bytes = refused_bytes_.load(std::memory_order_relaxed);
  if (bytes == 0) return std::nullopt;
  auto why = limit_reached(store, space, bytes);
  // One that is refused meanwhile stays.
  if (!why) refused_bytes_.compare_exchange_strong(bytes, 0, std::memory_order_relaxed);
  return why;
}

}  // namespace helios::plugins
