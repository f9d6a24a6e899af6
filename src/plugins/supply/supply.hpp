// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the calls of one loaded version of a plugin share: instances that are ready, the lane on which calls begin, and
// whom the plugin is not run for at present. It knows no call that runs: CallRun works with it, WasmPlugin owns it.
//
//   WasmPlugin --> CallRun --> Supply --> PluginVersion
//
// Flow: 1 try_out(); 2 calls; 3 retire(), when another version has taken its place. Calls that come later still work.
//
// Thread rule: any thread.

#include "base/executor.hpp"
#include "base/result.hpp"
#include "exec/slow_lane.hpp"
#include "hooks/plugin.hpp"
#include "plugins/plugin_version.hpp"
#include "plugins/supply/fault_backoff.hpp"
#include "plugins/supply/instance_stock.hpp"
#include "plugins/supply/lane_policy.hpp"

#include <memory>
#include <optional>
#include <string>

namespace helios::plugins {

class Supply : public std::enable_shared_from_this<Supply> {
 public:
  Supply(const PluginServices& services, PluginParts parts);

  [[nodiscard]] const PluginVersion& version() const { return version_; }

  // Makes one instance and throws it away. Errors: invalid, one line, when that fails or takes longer
  // than a hook call may. To be called once, before the first call.
  [[nodiscard]] base::Result<void> try_out();
  // No instance is kept for calls to come.
  void retire() { stock_.close(); }

  // ---- Instances

  // One for an attempt on the event loop: ready, or none but with the slot for it; without a slot when all
  // are taken.
  [[nodiscard]] LiveInstance take_instance();
  // One whose attempt has committed, and that later calls may use: of a run that ends.
  void keep_instance(LiveInstance live) { stock_.put(std::move(live)); }
  // What an attempt leaves behind, or nothing. `home`: the calling thread's executor, which is given the work of
  // making the next ones.
  void end_instance(LiveInstance live, base::Executor& home);

  // ---- Lanes

  [[nodiscard]] exec::SlowLane::Queue& slow_queue() { return *slow_queue_; }
  [[nodiscard]] LanePolicy& lane_policy() { return lane_policy_; }
  [[nodiscard]] bool begins_slow() {
    return lane_policy_.choose(version_.services().clock) == LanePolicy::Lane::slow;
  }

  // ---- Back-off. How a call ended, where that says something about the plugin.

  // Set when `call` is not to be made: its failure.
  [[nodiscard]] std::optional<std::string> why_backed_off(const hooks::Call& call);
  void note_fault(const hooks::Call& call, const std::string& failure);
  void note_success(const hooks::Call& call);

  // ---- For people: whether calls go straight to the slow lane, and for whom they are not made at all.

  [[nodiscard]] bool is_slow() const { return lane_policy_.is_slow(); }
  [[nodiscard]] FaultBackoff::Status backoff_status() const {
    return backoff_.status(version_.services().clock.monotonic_ns());
  }

 private:
  void fill_stock();
  bool make_one_for_stock();
  base::Result<void> check_version(WasmInstance& instance);
  [[nodiscard]] bool may_back_off(const hooks::Call& call) const;

  const PluginVersion version_;
  const std::unique_ptr<exec::SlowLane::Queue> slow_queue_;
  LanePolicy lane_policy_;
  FaultBackoff backoff_;
  InstanceStock stock_;  // ends before the module
};

}  // namespace helios::plugins
