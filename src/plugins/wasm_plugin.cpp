// SPDX-License-Identifier: Apache-2.0
#include "plugins/wasm_plugin.hpp"

#include <utility>

namespace helios::plugins {

namespace {

std::vector<std::string> hooks_of(const ModuleShape& shape) {
  std::vector<std::string> names;
  if (shape.has_authenticate) names.emplace_back("authenticate");
  if (shape.has_pre_query) names.emplace_back("pre_query");
  if (shape.has_post_query) names.emplace_back("post_query");
  if (shape.has_settled) names.emplace_back("settled");
  if (shape.has_check_write) names.emplace_back("check_write");
  if (shape.has_event) names.emplace_back("event");
  return names;
}

}  // namespace

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

void WasmPlugin::describe(PluginInfo& info) const {
  const PluginVersion& its = version();
  info.space = its.space().name();
  info.durability = kv::to_word(its.durability());
  info.version = its.manifest().version;
  info.hooks = hooks_of(its.shape());
  info.order = its.manifest().order;
  info.on_error = its.manifest().on_error;
  info.warnings = its.shape().warnings;
  const PluginCounters& counters = its.counters();
  info.last_error = counters.last_failure();
  info.calls = counters.read(PluginEvent::call);
  info.failures = counters.read(PluginEvent::failure);
  info.refusals = counters.read(PluginEvent::refusal);
  info.retries = counters.read(PluginEvent::retry);
  info.overruns = counters.read(PluginEvent::overrun);
  info.exclusive = counters.read(PluginEvent::exclusive);
  info.refused_writes = counters.read(PluginEvent::refused_write);
  info.retried_calls = counters.retried_calls();
  info.metrics = counters.metrics().read();
  info.write_checks = {.allowed = counters.read(PluginEvent::write_allowed),
                       .refused = counters.read(PluginEvent::write_refused),
                       .failed = counters.read(PluginEvent::write_failed),
                       .forced = counters.read(PluginEvent::write_forced)};
  info.abi = its.shape().says_version ? 2 : 1;
  info.backed_off = counters.read(PluginEvent::backed_off);
  info.is_slow = supply().is_slow();
  const FaultBackoff::Status backoff = supply().backoff_status();
  info.backing_off_callers = backoff.callers;
  info.backing_off_left_ms = backoff.longest_left_ms;
}

}  // namespace helios::plugins
