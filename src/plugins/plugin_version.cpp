// SPDX-License-Identifier: Apache-2.0
#include "plugins/plugin_version.hpp"

#include "plugins/abi/abi1_input.hpp"

#include <utility>

namespace helios::plugins {

namespace {

constexpr std::uint64_t kMib = 1 << 20;
constexpr std::uint64_t kKib = 1 << 10;

hooks::PluginTraits make_traits(const PluginParts& parts) {
  return {.name = parts.manifest.name,
          .is_first = parts.manifest.is_first,
          .order = parts.manifest.order,
          .has_authenticate = parts.shape.has_authenticate,
          .has_pre_query = parts.shape.has_pre_query,
          .has_post_query = parts.shape.has_post_query,
          .has_settled = parts.shape.has_settled,
          .all_statements = parts.manifest.all_statements,
          .on_error = parts.manifest.on_error};
}

}  // namespace

PluginVersion::PluginVersion(const PluginServices& services, PluginParts parts)
    : services_(services),
      parts_(std::move(parts)),
      traits_(make_traits(parts_)),
      config_attributes_(config_attributes(parts_.manifest.config)),
      looks_at_tenant_(!parts_.shape.says_version) {}

void PluginVersion::write_input(const hooks::Call& call, std::string& out) const {
  if (call.point == hooks::HookPoint::authenticate)
    out = abi1_authentication_input(*call.authentication, std::move(out));
  else
    out = abi1_input(call.point, *call.statement, config_attributes_, std::move(out),
                     parts_.manifest.sends_normalized);
}

AttemptInput PluginVersion::attempt_input(hooks::HookPoint point, std::string_view json,
                                          std::uint32_t deadline_ticks) const {
  const config::PluginLimits& limits = parts_.manifest.limits;
  return {.module = *parts_.module,
          .layout = parts_.layout,
          .call_initialize = parts_.shape.has_initialize,
          .is_abi2 = parts_.shape.says_version,
          .point = point,
          .json = json,
          .memory_bytes = limits.memory_mb * kMib,
          .table_elements = limits.table_elements,
          .max_output_bytes = limits.output_kb * kKib,
          .deadline_ticks = deadline_ticks};
}

CallScope PluginVersion::scope(const hooks::Call& call, AttemptEffects& effects) const {
  return {.call = &call,
          .effects = &effects,
          .config = &parts_.manifest.config,
          .metrics = &parts_.counters->metrics(),
          .looks_at_tenant = &looks_at_tenant_,
          .takes_verdicts = parts_.shape.says_version,
          .max_answer_bytes = parts_.manifest.limits.output_kb * kKib,
          .hmac_key = services_.hmac_key};
}

void PluginVersion::note_full(const RefusedWrite& write) const {
  if (!counters().full().note_refused(write, services_.clock.monotonic_ns())) return;
  const auto why = limit_reached(services_.store, space(), write);
  if (!why) return;  // it was filled by what one call wrote, and that is gone
  services_.log.write(base::LogLevel::error,
                      "plugin " + traits_.name + ": the namespace " + space().name() +
                          " is full: " + *why +
                          (traits_.on_error == hooks::OnError::deny
                               ? "; statements that it has to write for are refused, /readyz is 503"
                               : "; what it has to write is lost"));
}

}  // namespace helios::plugins
