// SPDX-License-Identifier: Apache-2.0
#pragma once

// One loaded version of one plugin: a compiled module, its manifest, its namespace.

#include "base/clock.hpp"
#include "base/log.hpp"
#include "exec/slow_lane.hpp"
#include "hooks/plugin.hpp"
#include "kv/store.hpp"
#include "plugins/abi1_module.hpp"
#include "plugins/attempt.hpp"
#include "plugins/instance_slots.hpp"
#include "plugins/manifest.hpp"
#include "plugins/plugin_counters.hpp"
#include "plugins/wasm.hpp"

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
  std::uint32_t inline_ticks;  // the slice of an attempt on an event loop
};

// What makes a plugin this one.
struct PluginParts {
  Manifest manifest;
  Abi1Shape shape;
  std::unique_ptr<WasmModule> module;  // linked
  kv::Namespace* space = nullptr;
  std::shared_ptr<PluginCounters> counters;
};

class WasmPlugin final : public hooks::Plugin {
 public:
  WasmPlugin(const PluginServices& services, PluginParts parts);

  [[nodiscard]] const hooks::PluginTraits& traits() const override { return traits_; }
  hooks::RunStatus run(hooks::Call& call) override;

  [[nodiscard]] const Manifest& manifest() const { return parts_.manifest; }
  [[nodiscard]] const Abi1Shape& shape() const { return parts_.shape; }
  [[nodiscard]] kv::Namespace& space() const { return *parts_.space; }
  [[nodiscard]] PluginCounters& counters() const { return *parts_.counters; }

  // For CallRun.
  [[nodiscard]] const PluginServices& services() const { return services_; }
  [[nodiscard]] exec::SlowLane::Queue& slow_queue() { return *slow_queue_; }
  [[nodiscard]] std::string input_json(const hooks::Call& call) const;
  [[nodiscard]] AttemptInput attempt_input(hooks::HookPoint point, std::string_view json,
                                           std::uint32_t deadline_ticks) const;
  [[nodiscard]] std::uint32_t timeout_ms() const { return parts_.manifest.limits.timeout_ms; }

  // Whether calls should go to the slow lane at once: the last few inline attempts all overran, and
  // no call on the slow lane has been quick since.
  [[nodiscard]] bool is_slow() const;
  void note_overrun();
  void note_quick_inline();
  void note_quick_on_slow_lane();

 private:
  const PluginServices services_;
  const PluginParts parts_;
  const hooks::PluginTraits traits_;
  const std::string config_attributes_;
  const std::unique_ptr<exec::SlowLane::Queue> slow_queue_;
  std::atomic<std::uint32_t> overruns_in_row_ = 0;
};

// Makes one instance of the plugin and throws it away. Errors: invalid, one line, when that fails or
// takes longer than a hook call may.
[[nodiscard]] base::Result<void> try_out(const WasmPlugin& plugin);

}  // namespace helios::plugins
