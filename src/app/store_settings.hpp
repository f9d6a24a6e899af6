// SPDX-License-Identifier: Apache-2.0
#pragma once

// The configuration of the store in the store's own words.

#include "anchors/anchor_keeper.hpp"
#include "base/result.hpp"
#include "config/config.hpp"
#include "kv/limits.hpp"
#include "kv/memory_store.hpp"
#include "kv/rocksdb/archiver.hpp"

#include <vector>

namespace helios::app {

[[nodiscard]] kv::Limits to_limits(const config::Config& config);

// Namespaces may be named like their plugins. Errors: invalid (a name that none can have).
[[nodiscard]] base::Result<kv::Durabilities> to_durabilities(const config::State& state);

// Requires: an archive is configured.
[[nodiscard]] kv::rocksdb::ArchiverOptions to_archiver_options(const config::State& state);

// Errors: invalid (a name that no stream can have); a line for each.
[[nodiscard]] base::Result<std::vector<anchors::AnchorPlan>> to_anchor_plans(
    const config::State& state);

}  // namespace helios::app
