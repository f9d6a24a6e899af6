// SPDX-License-Identifier: Apache-2.0
#pragma once

// How many descriptors the process may have.

#include "base/log.hpp"
#include "config/config.hpp"

namespace helios::app {

// Raises the soft limit as far as it goes: the usual one of 1024 is for programs that use select(). Logs a warning where
// that is too low for [limits] max_connections.
void raise_descriptor_limit(const config::Limits& limits, base::Log& log);

}  // namespace helios::app
