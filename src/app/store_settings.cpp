// SPDX-License-Identifier: Apache-2.0
#include "app/store_settings.hpp"

#include "kv/namespace_name.hpp"

#include <utility>

namespace helios::app {
namespace {

kv::Durability to_durability(config::Durability durability) {
  switch (durability) {
    case config::Durability::memory: return kv::Durability::memory;
    case config::Durability::relaxed: return kv::Durability::relaxed;
    case config::Durability::strict: return kv::Durability::strict;
  }
  std::unreachable();
}

}  // namespace

kv::Limits to_limits(const config::Config& config) {
  const config::Kv& kv = config.kv;
  kv::Limits limits;
  limits.max_key_bytes = kv.max_key_bytes;
  limits.max_value_bytes = kv.max_value_bytes;
  limits.max_keys_per_namespace = kv.max_keys_per_namespace;
  limits.max_bytes_per_namespace = kv.max_bytes_per_namespace;
  limits.max_total_bytes = kv.max_total_bytes;
  limits.max_record_bytes = kv.max_record_bytes;
  limits.max_streams_per_namespace = kv.max_streams_per_namespace;
  limits.max_ring_bytes = kv.max_ring_bytes;
  limits.max_stream_bytes = config.state.max_stream_bytes;
  return limits;
}

base::Result<kv::Durabilities> to_durabilities(const config::State& state) {
  kv::Durabilities result{.standard = to_durability(state.durability)};
  for (const auto& [name, durability] : state.namespaces) {
    auto space = kv::namespace_name(name);
    if (!space) {
      return base::fail(base::Errc::invalid, "[state.namespaces]: " + space.error().message);
    }
    result.by_name[*space] = to_durability(durability);
  }
  return result;
}

kv::rocksdb::ArchiverOptions to_archiver_options(const config::State& state) {
  constexpr std::int64_t kMsPerDay = 86'400'000;
  return {.keep_bytes = state.archive_above_bytes,
          .move_after_ms = state.archive_after_days * kMsPerDay,
          .remove_after_ms = state.archive_keep_days * kMsPerDay};
}

base::Result<std::vector<anchors::AnchorPlan>> to_anchor_plans(const config::State& state) {
  std::vector<anchors::AnchorPlan> plans;
  std::string wrong;
  for (const config::StateAnchor& anchor : state.anchors) {
    auto id = anchors::parse_stream_id(anchor.stream);
    const auto note = [&](std::string_view key, const base::Error& error) {
      wrong += (wrong.empty() ? "" : "\n") + anchor.origin + std::string(key) + error.message;
    };
    if (!id) {
      note(".stream: ", id.error());
      continue;
    }
    if (const auto good = anchors::check_url(anchor.url); !anchor.url.empty() && !good)
      note(".url: ", good.error());
    auto& plan = plans.emplace_back();
    plan.stream = *std::move(id);
    plan.interval_ms = std::int64_t{anchor.every_s} * 1000;
    plan.file = anchor.file;
    if (anchor.url.empty()) continue;
    plan.post = anchors::PostTarget{
        .url = anchor.url, .token_file = anchor.token_file, .ca_file = anchor.ca_file};
  }
  if (!wrong.empty()) return base::fail(base::Errc::invalid, std::move(wrong));
  return plans;
}

}  // namespace helios::app
