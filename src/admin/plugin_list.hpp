// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "admin/control.hpp"

#include <span>
#include <string>

namespace helios::admin {

// The JSON array that GET /plugins answers.
[[nodiscard]] std::string plugin_list_json(std::span<const PluginStatus> plugins);

// The JSON object that POST /plugins/reload answers: {"changes":[..],"plugins":[..]}, with "error" and "errors" in front
// where something stays as it was.
[[nodiscard]] std::string reload_json(const ReloadReport& report,
                                      std::span<const PluginStatus> plugins);

// The JSON array that GET /tenant-rules answers.
[[nodiscard]] std::string identity_rules_json(std::span<const IdentityRuleStatus> rules);
// Of those that were written as [[tenant.rules]].
[[nodiscard]] std::string tenant_rules_json(std::span<const IdentityRuleStatus> rules);

}  // namespace helios::admin
