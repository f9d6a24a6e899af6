// SPDX-License-Identifier: Apache-2.0
#pragma once

// One loaded version of one plugin, as it is until the next reload: its module, manifest and namespace, and what it
// works with. It says what an attempt of a call is given. Making calls is CallRun's; what calls share, Supply's.
//
// Thread rule: any thread. Fixed once made, but for its counters and looks_at_tenant().

#include "base/clock.hpp"
#include "base/faults.hpp"
#include "base/log.hpp"
#include "exec/slow_lane.hpp"
#include "hooks/plugin.hpp"
#include "kv/store.hpp"
#include "plugins/attempt.hpp"
#include "plugins/hmac.hpp"
#include "plugins/manifest.hpp"
#include "plugins/module_shape.hpp"
#include "plugins/plugin_counters.hpp"
#include "plugins/supply/instance_slots.hpp"
#include "plugins/wasm.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace helios::plugins {

// The usual slice: an attempt on an event loop ends after one to two ticks.
inline constexpr std::uint32_t kInlineTicks = 2;

// What all plugins work with. Outlives them.
struct PluginServices {
  kv::Store& store;
  exec::SlowLane& lane;
  const base::Clock& clock;
  base::Log& log;
  InstanceSlots& slots;
  base::FaultSink* faults;     // may be null, see base::contain()
  std::uint32_t inline_ticks;  // the slice of an attempt on an event loop
  const HmacKey* hmac_key;  // of what plugins keep of parameters; null: they can keep no such thing
};

// What makes a plugin this one.
struct PluginParts {
  Manifest manifest;
  ModuleShape shape;
  StaticLayout layout;
  std::unique_ptr<WasmModule> module;  // linked
  kv::Namespace* space = nullptr;
  std::shared_ptr<PluginCounters> counters;
};

class PluginVersion {
 public:
  PluginVersion(const PluginServices& services, PluginParts parts);
  PluginVersion(const PluginVersion&) = delete;
  PluginVersion& operator=(const PluginVersion&) = delete;

  [[nodiscard]] const PluginServices& services() const { return services_; }
  [[nodiscard]] const hooks::PluginTraits& traits() const { return traits_; }
  [[nodiscard]] const Manifest& manifest() const { return parts_.manifest; }
  [[nodiscard]] const ModuleShape& shape() const { return parts_.shape; }
  [[nodiscard]] kv::Namespace& space() const { return *parts_.space; }
  [[nodiscard]] kv::Durability durability() const { return services_.store.durability(space()); }
  [[nodiscard]] PluginCounters& counters() const { return *parts_.counters; }
  [[nodiscard]] std::uint32_t timeout_ms() const { return parts_.manifest.limits.timeout_ms; }
  [[nodiscard]] bool reuses_instances() const { return parts_.manifest.reuses_instances; }
  // See hooks::Plugin.
  [[nodiscard]] bool looks_at_tenant() const {
    return looks_at_tenant_.load(std::memory_order_relaxed);
  }

  // ---- What an attempt is given

  // The call as ABI 1 shows it to a guest. Takes the place of what `out` holds, in its storage.
  void write_input(const hooks::Call& call, std::string& out) const;
  // The arguments outlive what is returned, in this and the next; so does the version.
  [[nodiscard]] AttemptInput attempt_input(hooks::HookPoint point, std::string_view json,
                                           std::uint32_t deadline_ticks) const;
  // What host functions look at.
  [[nodiscard]] CallScope scope(const hooks::Call& call, AttemptEffects& effects) const;

  // ---- A full namespace

  // A limit of the store refused this write, because the namespace, or all together, are full.
  // Logs it, not too often.
  void note_full(const RefusedWrite& write) const;
  // Why no more fits into its namespace; nullopt: it does.
  [[nodiscard]] std::optional<std::string> why_full() const {
    return parts_.counters->full().reason(services_.store, space());
  }

 private:
  const PluginServices services_;
  const PluginParts parts_;
  const hooks::PluginTraits traits_;
  const std::string config_attributes_;
  mutable std::atomic<bool> looks_at_tenant_;
};

}  // namespace helios::plugins
