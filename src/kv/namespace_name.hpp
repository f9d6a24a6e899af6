// SPDX-License-Identifier: Apache-2.0
#pragma once

// How the name of a plugin becomes the name of its namespace.

#include "base/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace helios::kv {

inline constexpr std::size_t kMaxNamespaceNameBytes = 128;

// The namespace of the proxy itself, where it has one. It is no plugin's name, so no plugin can have it, no token names it,
// and neither SQL nor a command reads it.
inline constexpr std::string_view kProxyNamespace = ".proxy";

// The namespace of a plugin called `plugin_name`: '_' reads as '-', every leading "helios-plugin-"
// is dropped. So `cost-governor`, `helios-plugin-cost-governor` and `helios_plugin_cost_governor` are
// one namespace. The result is its own namespace name (idempotent).
// Errors: invalid, unless the result is 1..128 bytes of letters, digits, '-' and '.', and does not
// begin with '.'.
[[nodiscard]] base::Result<std::string> namespace_name(std::string_view plugin_name);

}  // namespace helios::kv
