// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads [auth]. Private to config.

#include "config/config.hpp"
#include "config/toml_section.hpp"

namespace helios::config {

void read_auth(TomlSection section, Auth& out);

}  // namespace helios::config
