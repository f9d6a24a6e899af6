// SPDX-License-Identifier: Apache-2.0
#include "plugins/wasm_plugin.hpp"

#include <utility>

namespace helios::plugins {

WasmPlugin::WasmPlugin(const PluginServices& services, PluginParts parts)
    : supply_(std::make_shared<Supply>(services, std::move(parts))) {}

hooks::RunStatus WasmPlugin::run(hooks::Call& call) {
  if (is_backed_off(call)) return hooks::RunStatus::done;
  boost::intrusive_ptr<CallRun> run = idle_runs_.take();
  if (!run) run = new CallRun(*supply_);
  // Once a run waits, whoever makes its next step owns it; the call, and the plugin with it, may be gone at any time.
  if (run->start(call) == hooks::RunStatus::pending) return hooks::RunStatus::pending;
  idle_runs_.put(std::move(run));
  return hooks::RunStatus::done;
}

bool WasmPlugin::is_backed_off(hooks::Call& call) {
  auto why = supply_->why_backed_off(call);
  if (!why) return false;
  version().counters().add(PluginEvent::call);
  version().counters().add(PluginEvent::backed_off);
  call.result.status = hooks::CallResult::Status::failed;
  call.result.failure = std::move(*why);
  return true;
}

void WasmPlugin::retire() {
  supply_->retire();
  idle_runs_.close();
}

}  // namespace helios::plugins
