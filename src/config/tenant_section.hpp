// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads [tenant]. Private to config.

#include "config/config.hpp"
#include "config/toml_section.hpp"

#include <string_view>

namespace helios::config {

// Its rules become identity rules. Requires: [identity] was read before.
void read_tenant(TomlSection section, Tenant& out, Identity& identity);

// "deny", or the word that `allow` names.
void read_policy(TomlSection& section, std::string_view key, std::string_view allow, Policy& out);

}  // namespace helios::config
