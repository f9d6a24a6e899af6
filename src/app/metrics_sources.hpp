// SPDX-License-Identifier: Apache-2.0
#pragma once

// The numbers of the process as metrics sources: what each part counts, under its public name.

#include "anchors/anchor_keeper.hpp"
#include "base/clock.hpp"
#include "exec/slow_lane.hpp"
#include "kv/rocksdb/archiver.hpp"
#include "kv/rocksdb/disk_journal.hpp"
#include "kv/store.hpp"
#include "metrics/registry.hpp"
#include "net/proxy.hpp"
#include "net/worker_stats.hpp"
#include "plugins/plugin_host.hpp"

namespace helios::app {

// Requires, of all: what is passed outlives the source.
[[nodiscard]] metrics::Source worker_metrics(const net::WorkerStats& stats, std::size_t index);
[[nodiscard]] metrics::Source proxy_metrics(const net::Proxy& proxy, const base::Clock& clock);
[[nodiscard]] metrics::Source login_metrics(const net::ConnectionLimits& limits);
[[nodiscard]] metrics::Source plugin_metrics(const plugins::PluginHost& host);
[[nodiscard]] metrics::Source store_metrics(kv::Store& store);
[[nodiscard]] metrics::Source journal_metrics(const kv::rocksdb::DiskJournal& journal);
[[nodiscard]] metrics::Source archive_metrics(const kv::rocksdb::Archiver& archiver);
[[nodiscard]] metrics::Source anchor_metrics(const anchors::AnchorKeeper& keeper);
[[nodiscard]] metrics::Source process_metrics(const exec::SlowLane& lane);

}  // namespace helios::app
