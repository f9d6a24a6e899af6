// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where a subcommand gets the state of plugins from: the admin interface of a proxy, or a state directory.

#include "base/result.hpp"
#include "cli/options.hpp"
#include "cli/stream_reader.hpp"

#include <functional>

namespace helios::cli {

using WithState = std::function<base::Result<void>(const StateAccess& state)>;

// Runs `command` on the state that `admin` names, which is open until it returns. `only_reads`: the command changes
// nothing. What it changed in a directory is on disk then. Errors: those of `command`; whatever keeps from the state.
[[nodiscard]] base::Result<void> with_state(const Options& options, const AdminOptions& admin,
                                            bool only_reads, const WithState& command);

}  // namespace helios::cli
