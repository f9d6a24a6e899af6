// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads [plugins]. Private to config.

#include "config/config.hpp"
#include "config/toml_section.hpp"

namespace helios::config {

void read_plugins(TomlSection section, Plugins& out);

}  // namespace helios::config
