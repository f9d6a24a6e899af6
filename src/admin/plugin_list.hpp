// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "admin/control.hpp"

#include <span>
#include <string>

namespace helios::admin {

// The JSON array that GET /plugins answers.
[[nodiscard]] std::string plugin_list_json(std::span<const PluginStatus> plugins);

}  // namespace helios::admin
