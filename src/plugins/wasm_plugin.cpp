// SPDX-License-Identifier: Apache-2.0
#include "plugins/wasm_plugin.hpp"

#include "plugins/abi1_input.hpp"
#include "plugins/call_run.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace helios::plugins {

namespace {

constexpr std::uint32_t kSlowAfterOverruns = 3;
constexpr std::uint64_t kMib = 1 << 20;
constexpr std::uint64_t kKib = 1 << 10;

hooks::PluginTraits make_traits(const PluginParts& parts) {
  return {.name = parts.manifest.name,
          .order = parts.manifest.order,
          .has_authenticate = parts.shape.has_authenticate,
          .has_pre_query = parts.shape.has_pre_query,
          .has_post_query = parts.shape.has_post_query,
          .all_statements = parts.manifest.all_statements,
          .on_error = parts.manifest.on_error};
}

}  // namespace

WasmPlugin::WasmPlugin(const PluginServices& services, PluginParts parts)
    : services_(services),
      parts_(std::move(parts)),
      traits_(make_traits(parts_)),
      config_attributes_(config_attributes(parts_.manifest.config)),
      slow_queue_(services.lane.make_queue()) {}

hooks::RunStatus WasmPlugin::run(hooks::Call& call) {
  return std::make_shared<CallRun>(*this, call)->start();
}

std::string WasmPlugin::input_json(const hooks::Call& call) const {
  if (call.point == hooks::HookPoint::authenticate) {
    return abi1_authentication_input(*call.authentication);
  }
  return abi1_input(call.point, *call.statement, config_attributes_);
}

AttemptInput WasmPlugin::attempt_input(hooks::HookPoint point, std::string_view json,
                                       std::uint32_t deadline_ticks) const {
  const config::PluginLimits& limits = parts_.manifest.limits;
  return {.module = *parts_.module,
          .call_initialize = parts_.shape.has_initialize,
          .point = point,
          .json = json,
          .memory_bytes = limits.memory_mb * kMib,
          .table_elements = limits.table_elements,
          .max_output_bytes = limits.output_kb * kKib,
          .deadline_ticks = deadline_ticks};
}

bool WasmPlugin::is_slow() const {
  return overruns_in_row_.load(std::memory_order_relaxed) >= kSlowAfterOverruns;
}

void WasmPlugin::note_overrun() {
  std::uint32_t count = overruns_in_row_.load(std::memory_order_relaxed);
  while (count < kSlowAfterOverruns &&
         !overruns_in_row_.compare_exchange_weak(count, count + 1, std::memory_order_relaxed)) {
  }
}

void WasmPlugin::note_quick_inline() {
  if (overruns_in_row_.load(std::memory_order_relaxed) != 0)
    overruns_in_row_.store(0, std::memory_order_relaxed);
}

void WasmPlugin::note_quick_on_slow_lane() {
  std::uint32_t count = overruns_in_row_.load(std::memory_order_relaxed);
  while (count > 0 &&
         !overruns_in_row_.compare_exchange_weak(count, count - 1, std::memory_order_relaxed)) {
  }
}

base::Result<void> try_out(const WasmPlugin& plugin) {
  const PluginServices& services = plugin.services();
  kv::Transaction transaction(services.store, plugin.space());
  HostCalls calls(transaction, services.clock);
  const AttemptEnd end = run_canary(
      plugin.attempt_input(hooks::HookPoint::pre_query, "", deadline_ticks(plugin.timeout_ms())),
      calls);
  switch (end.kind) {
    case AttemptEnd::Kind::returned:
    // It reads the store while it starts, which cannot be answered now: not the plugin's fault.
    case AttemptEnd::Kind::doomed:
    case AttemptEnd::Kind::not_resident:
    case AttemptEnd::Kind::store_failed: return {};
    case AttemptEnd::Kind::overran:
      return base::fail(base::Errc::invalid,
                        "does not start within " + std::to_string(plugin.timeout_ms()) + " ms");
    case AttemptEnd::Kind::failed:
      return base::fail(base::Errc::invalid, "does not start: " + end.failure);
  }
  return {};
}

}  // namespace helios::plugins
