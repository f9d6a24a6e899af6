// SPDX-License-Identifier: Apache-2.0
#pragma once

// The module's front: loads the plugin folder, keeps it loaded, and tells about it.
//
// Flow: 1 load() at start: everything or an error; 2 hand the chain to whoever runs statements;
// 3 reload() as often as wanted, and hand on the new chain.
//
// Thread rule: any thread; loads wait for each other, describe() waits for nobody.
// Lifetime: must outlive every chain that it made, and the calls that run in them.

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "config/config.hpp"
#include "exec/slow_lane.hpp"
#include "hooks/chain.hpp"
#include "kv/store.hpp"
#include "plugins/compile_guard.hpp"
#include "plugins/hmac.hpp"
#include "plugins/plugin_folder.hpp"
#include "plugins/plugin_info.hpp"
#include "plugins/plugin_table.hpp"
#include "plugins/supply/instance_slots.hpp"
#include "plugins/wasm_plugin.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::plugins {

struct ReloadResult {
  std::shared_ptr<const hooks::Chain> chain;
  std::vector<std::string> errors;  // one line each; what they are about runs on as it was
  // The folder is not what the configuration demands: nothing has changed, and `errors` has the reasons.
  bool is_refused = false;
  std::vector<PluginChange> changes;  // by name; empty when refused
};

class PluginHost {
 public:
  // What is passed by reference outlives the host. The engine itself is made at the first load that
  // finds a plugin. `inline_ticks`: how long a call may keep an event loop; a test whose outcome must
  // not depend on the machine's load gives more. `state`: where the store keeps things; a plugin that asks for more
  // durability than that is not loaded. `hmac_key`: what parameter_hmac_hex uses, there before the first call; null: hooks get MISSING.
  PluginHost(config::Plugins config, kv::Store& store, exec::SlowLane& lane,
             const base::Clock& clock, base::Log& log, std::uint32_t inline_ticks = kInlineTicks,
             base::FaultSink* faults = nullptr, config::State state = {},
             const HmacKey* hmac_key = nullptr);
  PluginHost(const PluginHost&) = delete;
  PluginHost& operator=(const PluginHost&) = delete;
  // Chains may outlive it, but not be run any more.
  ~PluginHost();

  // Loads every plugin of the folder; without a configured folder, none. Errors: one line for each plugin that
  // cannot be loaded and is not configured as optional ("plugin FILE: reason"), each manifest without a module, and each
  // demand of the configuration that is not met (see requirements.hpp); or the folder. Optional ones that fail are
  // logged and left out.
  [[nodiscard]] base::Result<std::shared_ptr<const hooks::Chain>> load();

  // Looks at the folder again, which `config` may name anew: new and changed plugins are loaded, removed ones are gone from the
  // new chain, unchanged ones stay as they are, and one that cannot be loaded any more runs on in
  // its old version, as does one whose manifest is all that is left of it. Changed limits load every plugin again.
  // Where the configuration demands what is not so (see requirements.hpp) nothing changes at all. What the host was
  // constructed with stays for pool_instances, memory_reservation_mb and the slow lane. Errors are also logged.
  [[nodiscard]] ReloadResult reload(const config::Plugins& config);

  // Every plugin file as of the last load, by file name.
  [[nodiscard]] std::vector<PluginInfo> describe() const;

  // Why statements are refused that should not be: a plugin with on_error = "deny" cannot write any more, since its
  // namespace is full. Nullopt: none.
  [[nodiscard]] std::optional<std::string> why_full() const;

  // Those that run, in the order of their files.
  [[nodiscard]] std::vector<std::shared_ptr<WasmPlugin>> running() const;

  // Alive on event loops, those included that are kept ready for calls to come.
  [[nodiscard]] std::uint32_t instances() const { return slots_.used(); }

 private:
  using Entry = PluginEntry;
  using Table = PluginTable;

  base::Result<Table> read_folder();
  Entry lone_manifest(const PluginFile& manifest) const;
  void discard(const Table& table) const;
  base::Result<void> check_durability(const Manifest& manifest, const std::string& space) const;
  base::Result<void> make_engine();
  void log_left_aside(const PluginFolder& folder) const;
  Entry load_file(const PluginFile& file, const Entry* previous);
  base::Result<std::shared_ptr<WasmPlugin>> load_source(Entry& entry, const PluginSource& source);
  base::Result<Manifest> manifest_of(const Entry& entry, const PluginSource& source) const;
  base::Result<std::unique_ptr<WasmModule>> compile(const Entry& entry, const PluginSource& source,
                                                    StaticLayout& layout);
  const Entry* find_previous(const PluginFile& file) const;
  std::shared_ptr<const hooks::Chain> install(Table table);
  static const WasmPlugin* plugin_called(const std::string& name, const Table& table);
  void log_changes(const std::vector<PluginChange>& changes) const;
  void log_new(const Table& table) const;

  base::Log& log_;
  InstanceSlots slots_;
  const PluginServices services_;
  const config::State state_;
  std::mutex load_mutex_;  // one load at a time; guards what is up to counters_
  config::Plugins config_;
  std::shared_ptr<WasmEngine> engine_;
  CompileGuard compile_guard_;
  std::map<std::string, std::shared_ptr<PluginCounters>, std::less<>> counters_;  // by namespace
  mutable std::mutex table_mutex_;  // guards table_; taken after load_mutex_
  Table table_;                     // written under both, so either is enough to read it
};

}  // namespace helios::plugins
