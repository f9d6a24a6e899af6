// SPDX-License-Identifier: Apache-2.0
#pragma once

// Plugins with one planted fault each, in front of sound ones.

#include "hooks/plugin.hpp"

#include <memory>

namespace helios::test {

// Has the hooks of `plugin`, and never calls them.
[[nodiscard]] std::shared_ptr<hooks::Plugin> never_called(std::shared_ptr<hooks::Plugin> plugin);

// Never hears of a tenant.
[[nodiscard]] std::shared_ptr<hooks::Plugin> without_tenant(std::shared_ptr<hooks::Plugin> plugin);

}  // namespace helios::test
