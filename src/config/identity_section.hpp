// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads [[identity.rules]], and [[tenant.rules]], which are identity rules that set only the tenant. Private to config.

#include "config/config.hpp"
#include "config/toml_section.hpp"

#include <string_view>

namespace helios::config {

void read_identity(TomlSection section, Identity& out);

// `section`: [tenant]. Requires: read_identity() was called before. A file that has both kinds of rules is refused: which of
// two lists counts for a client, nobody should have to think about.
void read_tenant_rules(TomlSection& section, Identity& out);

// A pattern that is there holds at most one '*', and is not too long.
void check_pattern(TomlSection& section, std::string_view key, std::string_view pattern);

}  // namespace helios::config
