// SPDX-License-Identifier: Apache-2.0
#pragma once

// The part of [admin] that says who may use it and how: tokens, TLS, limits. Private to config.

#include "config/config.hpp"
#include "config/toml_section.hpp"

namespace helios::config {

// Reads every key of [admin] but `addresses`; does not finish the section.
void read_admin_access(TomlSection& section, Admin& out);

}  // namespace helios::config
