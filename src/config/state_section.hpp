// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads [state]. Private to config.

#include "config/config.hpp"
#include "config/toml_section.hpp"

namespace helios::config {

void read_state(TomlSection section, State& out);

}  // namespace helios::config
