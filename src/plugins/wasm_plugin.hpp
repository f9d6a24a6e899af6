// SPDX-License-Identifier: Apache-2.0
#pragma once

// One loaded version of one plugin: a compiled module, its manifest, its namespace.

#include "base/clock.hpp"
#include "base/faults.hpp"
#include "base/log.hpp"
#include "exec/slow_lane.hpp"
#include "hooks/plugin.hpp"
#include "kv/store.hpp"
#include "plugins/attempt.hpp"
#include "plugins/manifest.hpp"
#include "plugins/module_shape.hpp"
#include "plugins/plugin_counters.hpp"
#include "plugins/supply/fault_backoff.hpp"
#include "plugins/supply/instance_slots.hpp"
#include "plugins/supply/instance_stock.hpp"
#include "plugins/supply/lane_policy.hpp"
#include "plugins/wasm.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

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

class CallRun;

class WasmPlugin final : public hooks::Plugin, public std::enable_shared_from_this<WasmPlugin> {
 public:
  WasmPlugin(const PluginServices& services, PluginParts parts);
  WasmPlugin(const WasmPlugin&) = delete;
  WasmPlugin& operator=(const WasmPlugin&) = delete;
  ~WasmPlugin() override;

  [[nodiscard]] const hooks::PluginTraits& traits() const override { return traits_; }
  [[nodiscard]] bool looks_at_tenant() const override {
    return looks_at_tenant_.load(std::memory_order_relaxed);
  }
  hooks::RunStatus run(hooks::Call& call) override;

  [[nodiscard]] const Manifest& manifest() const { return parts_.manifest; }
  [[nodiscard]] const ModuleShape& shape() const { return parts_.shape; }
  [[nodiscard]] kv::Namespace& space() const { return *parts_.space; }
  [[nodiscard]] kv::Durability durability() const { return services_.store.durability(space()); }
  [[nodiscard]] PluginCounters& counters() const { return *parts_.counters; }

  // For CallRun.
  [[nodiscard]] const PluginServices& services() const { return services_; }
  [[nodiscard]] exec::SlowLane::Queue& slow_queue() { return *slow_queue_; }
  void write_input(const hooks::Call& call, std::string& out) const;
  [[nodiscard]] AttemptInput attempt_input(hooks::HookPoint point, std::string_view json,
                                           std::uint32_t deadline_ticks) const;

  // An instance for an attempt on the event loop: ready, or none but with the slot for it; without a
  // slot when all are taken.
  [[nodiscard]] LiveInstance take_instance();
  // One whose attempt has committed, and that later calls may use: of a run that ends.
  void keep_instance(LiveInstance live) { stock_.put(std::move(live)); }
  // What an attempt leaves behind, or nothing. `home`: the calling thread's executor, which is given the work of
  // making the next ones.
  void end_instance(LiveInstance live, base::Executor& home);

  [[nodiscard]] bool reuses_instances() const { return parts_.manifest.reuses_instances; }
  // What host functions look at. The arguments outlive it.
  [[nodiscard]] CallScope scope(const hooks::Call& call, AttemptEffects& effects) const;

  [[nodiscard]] std::uint32_t timeout_ms() const { return parts_.manifest.limits.timeout_ms; }

  [[nodiscard]] LanePolicy& lane_policy() { return lane_policy_; }
  [[nodiscard]] bool begins_slow() {
    return lane_policy_.choose(services_.clock) == LanePolicy::Lane::slow;
  }

  // How a call ended, where that says something about the plugin.
  void note_fault(const hooks::Call& call, const std::string& failure);
  void note_success(const hooks::Call& call);
  // A limit of the store refused an entry of so many bytes, because the namespace, or all together, are full.
  void note_full(std::uint64_t bytes);
  // Why no more fits into its namespace; nullopt: it does.
  [[nodiscard]] std::optional<std::string> why_full() const {
    return parts_.counters->full().reason(services_.store, space());
  }

  // Makes one instance and throws it away. Errors: invalid, one line, when that fails or takes longer
  // than a hook call may. To be called once, before the first call.
  [[nodiscard]] base::Result<void> try_out();

  // Another version has taken its place: nothing is kept for calls to come. Those that still come work.
  void retire();

  // For people: whether calls go straight to the slow lane, and for whom they are not made at all.
  [[nodiscard]] bool is_slow() const { return lane_policy_.is_slow(); }
  [[nodiscard]] FaultBackoff::Status backoff_status() const {
    return backoff_.status(services_.clock.monotonic_ns());
  }

 private:
  // What a call leaves for the next one on the same thread.
  struct alignas(64) IdleRun {
    std::atomic<CallRun*> run = nullptr;  // rests
  };

  std::shared_ptr<CallRun> take_run();
  void keep_run(std::shared_ptr<CallRun> run);
  static void end_run(CallRun* resting);
  void fill_stock();
  bool make_one_for_stock();
  base::Result<void> check_version(WasmInstance& instance);
  bool is_backed_off(hooks::Call& call);
  [[nodiscard]] bool may_back_off(const hooks::Call& call) const;

  const PluginServices services_;
  const PluginParts parts_;
  const hooks::PluginTraits traits_;
  const std::string config_attributes_;
  const std::unique_ptr<exec::SlowLane::Queue> slow_queue_;
  LanePolicy lane_policy_;
  FaultBackoff backoff_;
  InstanceStock stock_;  // ends before the module
  std::atomic<bool> is_retired_ = false;
  mutable std::atomic<bool> looks_at_tenant_;
  std::array<IdleRun, kThreadShards> idle_runs_;
};

}  // namespace helios::plugins
