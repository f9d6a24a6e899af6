// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which keys a running process cannot take over: what they describe is made once, at the start.
// docs/operations.md names them; a test keeps the two together.

#include "config/config.hpp"

#include <string_view>
#include <vector>

namespace helios::config {

// Gives those keys of `next` the values that `running` has. Returns the names of the ones that
// differed, such as "listen.addresses".
std::vector<std::string_view> keep_restart_keys(const Config& running, Config& next);

}  // namespace helios::config
