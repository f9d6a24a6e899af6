// SPDX-License-Identifier: Apache-2.0
#pragma once

// The state of plugins and how it is kept: the store, and where a directory is configured its journal, archive, key and
// backups; and the anchors of its streams.
//
// Flow: 1 construct; 2 open(), before the first plugin is loaded; 3 start_anchors(); 4 set() at each reload, look_after() now
// and then; 5 close(), when nobody commits any more.

#include "anchors/anchor_keeper.hpp"
#include "app/usage_watch.hpp"
#include "base/clock.hpp"
#include "base/faults.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "config/config.hpp"
#include "kv/memory_store.hpp"
#include "kv/rocksdb/archiver.hpp"
#include "kv/rocksdb/disk_journal.hpp"
#include "metrics/registry.hpp"
#include "plugins/hmac.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace helios::app {

// Thread rule: one thread, but for store(), usage() and back_up(): any.
class PluginState {
 public:
  // Lifetime: all but `config` outlive it.
  PluginState(const config::Config& config, const base::Clock& clock, base::Log& log,
              base::FaultSink& faults);

  // What earlier runs kept is there afterwards. Without a directory there is nothing to do. Errors: one line.
  [[nodiscard]] base::Result<void> open(const config::State& state);
  // Of this and of set(): requires to_anchor_plans() of it.
  void start_anchors(const config::State& state);
  // What a reload may change.
  void set(const config::Config& config);
  // Forgets what has expired, and looks whether quotas are nearly used up.
  void look_after();
  void close();

  [[nodiscard]] kv::MemoryStore& store() { return store_; }
  // State outlives the process: a directory is configured, and open.
  [[nodiscard]] bool is_on_disk() const { return journal_ != nullptr; }
  [[nodiscard]] const plugins::HmacKey& hmac_key() const { return hmac_key_; }
  [[nodiscard]] const UsageWatch& usage() const { return usage_; }

  // A copy in the new folder `path`, from which a proxy can start. Blocks. Errors: one line.
  [[nodiscard]] base::Result<void> back_up(const std::string& path);

  // Of all parts. Requires: open() has succeeded; the sources end before this does.
  [[nodiscard]] std::vector<metrics::Source> metrics_sources();

 private:
  [[nodiscard]] base::Result<std::optional<kv::StreamRecord>> read_head(
      const anchors::StreamId& id);

  const base::Clock& clock_;
  base::Log& log_;
  base::FaultSink& faults_;
  std::unique_ptr<kv::rocksdb::DiskJournal> journal_;  // null: state is in memory only
  kv::MemoryStore store_;
  std::unique_ptr<kv::rocksdb::Archiver> archiver_;  // null: records stay where they are
  UsageWatch usage_;
  plugins::HmacKey hmac_key_;  // of the state directory, or of this process
  anchors::AnchorKeeper anchors_;
};

}  // namespace helios::app
