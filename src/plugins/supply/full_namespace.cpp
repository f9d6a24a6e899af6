// SPDX-License-Identifier: Apache-2.0
#include "plugins/supply/full_namespace.hpp"

#include <algorithm>
#include <utility>

namespace helios::plugins {

namespace {

constexpr std::int64_t kLogEveryNs = 60'000'000'000;

std::string reached(std::string_view what, std::uint64_t present, std::string_view key,
                    std::uint64_t limit) {
  return std::string(what) + " " + std::to_string(present) + ", " + std::string(key) + " = " +
         std::to_string(limit);
}

std::optional<std::string> limit_of_records(kv::Store& store, kv::Namespace& space,
                                            std::uint64_t bytes) {
  const kv::Limits& limits = store.limits();
  const kv::Usage all = store.total_usage();
  // pre_query is refused what the reserve would have room for.
  if (all.stream_bytes + bytes > limits.max_stream_bytes - kv::stream_reserve_bytes(limits))
    return reached("the bytes of all streams are", all.stream_bytes, "[state] max_stream_bytes",
                   limits.max_stream_bytes);
  const std::size_t streams = store.streams(space).size();
  if (streams >= limits.max_streams_per_namespace)
    return reached("its streams are", streams, "[kv] max_streams_per_namespace",
                   limits.max_streams_per_namespace);
  return std::nullopt;
}

std::optional<std::string> limit_of_entries(kv::Store& store, kv::Namespace& space,
                                            std::uint64_t bytes) {
  const kv::Limits& limits = store.limits();
  const kv::Usage here = store.usage(space);
  if (here.keys >= limits.max_keys_per_namespace)
    return reached("its keys are", here.keys, "[kv] max_keys_per_namespace",
                   limits.max_keys_per_namespace);
  if (here.bytes + bytes > limits.max_bytes_per_namespace)
    return reached("its bytes are", here.bytes, "[kv] max_bytes_per_namespace",
                   limits.max_bytes_per_namespace);
  const kv::Usage all = store.total_usage();
  if (all.bytes + bytes > limits.max_total_bytes)
    return reached("the bytes of all are", all.bytes, "[kv] max_total_bytes",
                   limits.max_total_bytes);
  return std::nullopt;
}

std::string invalid_name(const RefusedWrite& write, const kv::Limits& limits) {
  if (write.is_record)
    return "its name is none: 1 to " + std::to_string(kv::kMaxStreamNameBytes) +
           " letters, digits, '-', '_' and '.' are, not beginning with '.'";
  return "the key is empty or over [kv] max_key_bytes = " + std::to_string(limits.max_key_bytes);
}

std::string too_large(const RefusedWrite& write, const kv::Limits& limits) {
  if (write.is_record)
    return "the record is over [kv] max_record_bytes = " + std::to_string(limits.max_record_bytes);
  return "the value is over [kv] max_value_bytes = " + std::to_string(limits.max_value_bytes);
}

}  // namespace

std::optional<std::string> limit_reached(kv::Store& store, kv::Namespace& space,
                                         const RefusedWrite& write) {
  return write.is_record ? limit_of_records(store, space, write.bytes)
                         : limit_of_entries(store, space, write.bytes);
}

std::string to_text(const RefusedWrite& write, kv::Store& store, kv::Namespace& space) {
  const kv::Limits& limits = store.limits();
  const std::string begin = std::string(write.operation) + " was refused: ";
  switch (write.status) {
    case kv::WriteStatus::ok: break;
    case kv::WriteStatus::invalid_key: return begin + invalid_name(write, limits);
    case kv::WriteStatus::value_too_large: return begin + too_large(write, limits);
    case kv::WriteStatus::transaction_too_large:
      return begin + "the call writes more than one call may";
    case kv::WriteStatus::failed: return begin + "the namespace is read-only";
    case kv::WriteStatus::namespace_full:
    case kv::WriteStatus::store_full:
      // What the call has written before may be what fills it.
      return begin + "the namespace is full: " +
             limit_reached(store, space, write)
                 .value_or("what the call writes exceeds what is left");
  }
  return begin;
}

bool FullNamespace::note_refused(const RefusedWrite& write, std::int64_t now_ns) {
  Bytes& refused = write.is_record ? refused_record_ : refused_entry_;
  refused.store(std::max<std::uint64_t>(write.bytes, 1), std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  if (logged_at_ns_ != INT64_MIN && now_ns - logged_at_ns_ < kLogEveryNs) return false;
  logged_at_ns_ = now_ns;
  return true;
}

std::optional<std::string> FullNamespace::reason(kv::Store& store, kv::Namespace& space) const {
  auto why = reason(store, space, refused_entry_, false);
  return why ? why : reason(store, space, refused_record_, true);
}

std::optional<std::string> FullNamespace::reason(kv::Store& store, kv::Namespace& space,
                                                 Bytes& refused, bool is_record) {
  std::uint64_t bytes = refused.load(std::memory_order_relaxed);
  if (bytes == 0) return std::nullopt;
  auto why = limit_reached(store, space, {.bytes = bytes, .is_record = is_record});
  // One that is refused meanwhile stays.
  if (!why) refused.compare_exchange_strong(bytes, 0, std::memory_order_relaxed);
  return why;
}

}  // namespace helios::plugins
