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
#include "plugins/plugin_folder.hpp"
#include "plugins/supply/instance_slots.hpp"
#include "plugins/wasm_plugin.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace helios::plugins {

// One file of the plugin folder, for people.
struct PluginInfo {
  enum class State {
    loaded,
    outdated,  // an earlier version runs on; what is in the folder now cannot be loaded
    failed,    // nothing of it runs
  };
  std::string name;
  std::string space;                 // its namespace; empty when failed
  std::string_view durability = {};  // its class, in a word
  std::string version;
  std::string file;
  State state = State::failed;
  std::vector<std::string> hooks;  // that are called
  std::int32_t order = 0;
  hooks::OnError on_error = hooks::OnError::deny;
  std::vector<std::string> warnings;
  std::string load_error;  // outdated, failed
  std::string last_error;  // of a call

  std::uint64_t calls = 0;
  std::uint64_t failures = 0;
  std::uint64_t refusals = 0;
  std::uint64_t retries = 0;
  std::uint64_t overruns = 0;
  std::uint64_t exclusive = 0;
  std::uint64_t refused_writes = 0;
  CallsByRetries retried_calls{};
  std::uint64_t backed_off = 0;
  std::vector<std::pair<std::string, std::uint64_t>> metrics;  // that the plugin itself counts
  std::uint32_t abi = 0;                                       // 1 or 2; 0 when failed

  bool is_slow = false;                  // calls go straight to the slow lane
  std::size_t backing_off_callers = 0;   // for whom the plugin is not run at present
  std::int64_t backing_off_left_ms = 0;  // until the last of them is tried again
};

[[nodiscard]] std::string_view to_text(PluginInfo::State state);

struct ReloadResult {
  std::shared_ptr<const hooks::Chain> chain;
  std::vector<std::string> errors;  // one line each; what they are about runs on as it was
};

class PluginHost {
 public:
  // What is passed by reference outlives the host. The engine itself is made at the first load that
  // finds a plugin. `inline_ticks`: how long a call may keep an event loop; a test whose outcome must
  // not depend on the machine's load gives more.
  PluginHost(config::Plugins config, kv::Store& store, exec::SlowLane& lane,
             const base::Clock& clock, base::Log& log, std::uint32_t inline_ticks = kInlineTicks,
             base::FaultSink* faults = nullptr);
  PluginHost(const PluginHost&) = delete;
  PluginHost& operator=(const PluginHost&) = delete;
  // Chains may outlive it, but not be run any more.
  ~PluginHost();

  // Loads every plugin of the folder; without a configured folder, none. Errors: one line, the first
  // plugin that cannot be loaded and is not configured as optional ("plugin FILE: reason"), or the
  // folder. Optional ones that fail are logged and left out.
  [[nodiscard]] base::Result<std::shared_ptr<const hooks::Chain>> load();

  // Looks at the folder again, which `config` may name anew: new and changed plugins are loaded, removed ones are gone from the
  // new chain, unchanged ones stay as they are, and one that cannot be loaded any more runs on in
  // its old version. Changed limits load every plugin again. What the host was constructed with stays
  // for pool_instances, memory_reservation_mb and the slow lane. Errors are also logged.
  [[nodiscard]] ReloadResult reload(const config::Plugins& config);

  // Every plugin file as of the last load, by file name.
  [[nodiscard]] std::vector<PluginInfo> describe() const;

  // Why statements are refused that should not be: a plugin with on_error = "deny" cannot write any more, since its
  // namespace is full. Nullopt: none.
  [[nodiscard]] std::optional<std::string> why_full() const;

  // Alive on event loops, those included that are kept ready for calls to come.
  [[nodiscard]] std::uint32_t instances() const { return slots_.used(); }

 private:
  struct Entry {
    PluginFile file;
    std::string name;                    // by manifest, or the file's
    std::string digest;                  // of what `plugin` was made from
    config::PluginLimits limits;         // that `plugin` was loaded under
    std::shared_ptr<WasmPlugin> plugin;  // null: nothing runs
    std::string error;                   // why the file as it is cannot be loaded
  };
  using Table = std::vector<Entry>;

  base::Result<Table> read_folder();
  base::Result<void> make_engine();
  void log_left_aside(const PluginFolder& folder) const;
  Entry load_file(const PluginFile& file, const Entry* previous);
  base::Result<std::shared_ptr<WasmPlugin>> load_source(Entry& entry, const PluginSource& source);
  base::Result<Manifest> manifest_of(const Entry& entry, const PluginSource& source) const;
  base::Result<std::unique_ptr<WasmModule>> compile(const Entry& entry, const PluginSource& source,
                                                    StaticLayout& layout);
  const Entry* find_previous(const PluginFile& file) const;
  void settle_namespaces(Table& table) const;
  std::shared_ptr<const hooks::Chain> install(Table table);
  bool is_optional(const Entry& entry) const;
  void log_new(const Table& table) const;

  base::Log& log_;
  InstanceSlots slots_;
  const PluginServices services_;
  std::mutex load_mutex_;  // one load at a time; guards what is up to counters_
  config::Plugins config_;
  std::shared_ptr<WasmEngine> engine_;
  CompileGuard compile_guard_;
  std::map<std::string, std::shared_ptr<PluginCounters>, std::less<>> counters_;  // by namespace
  mutable std::mutex table_mutex_;  // guards table_; taken after load_mutex_
  Table table_;                     // written under both, so either is enough to read it
};

}  // namespace helios::plugins
