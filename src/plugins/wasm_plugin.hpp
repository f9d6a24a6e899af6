// SPDX-License-Identifier: Apache-2.0
#pragma once

// A loaded plugin as the proxy sees it: each hook call becomes a CallRun that works with the plugin's Supply.
//
// Thread rule: any thread. Lifetime: outlives its calls, but for what they do behind their result.

#include "hooks/plugin.hpp"
#include "plugins/call_run.hpp"
#include "plugins/plugin_info.hpp"
#include "plugins/plugin_version.hpp"
#include "plugins/supply/per_thread.hpp"
#include "plugins/supply/supply.hpp"

#include <memory>
#include <string_view>

namespace helios::plugins {

class WasmPlugin final : public hooks::Plugin {
 public:
  WasmPlugin(const PluginServices& services, PluginParts parts);

  [[nodiscard]] const hooks::PluginTraits& traits() const override { return version().traits(); }
  [[nodiscard]] bool looks_at_tenant() const override { return version().looks_at_tenant(); }
  hooks::RunStatus run(hooks::Call& call) override;

  [[nodiscard]] const PluginVersion& version() const { return supply_->version(); }
  [[nodiscard]] const Supply& supply() const { return *supply_; }

  // Has it a check_write, and is that its namespace?
  [[nodiscard]] bool judges_writes_to(std::string_view space) const {
    return version().shape().has_check_write && version().space().name() == space;
  }

  // See Supply.
  [[nodiscard]] base::Result<void> try_out() { return supply_->try_out(); }
  // Another version has taken its place: nothing is kept for calls to come. Those that still come work.
  void retire();

  // Fills in what this version, and what calls have counted, tell.
  void describe(PluginInfo& info) const;

 private:
  bool is_backed_off(hooks::Call& call);

  // Shared with whoever makes instances for it just now.
  const std::shared_ptr<Supply> supply_;
  PerThread<CallRun> idle_runs_;  // ends first: what rests refers to the supply
};

}  // namespace helios::plugins
