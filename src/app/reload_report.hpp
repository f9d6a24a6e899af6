// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "admin/control.hpp"
#include "plugins/plugin_host.hpp"

namespace helios::app {

// What a reload of the plugins has done, as the admin interface tells it.
[[nodiscard]] admin::ReloadReport to_report(const plugins::ReloadResult& result);

}  // namespace helios::app
