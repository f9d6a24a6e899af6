// SPDX-License-Identifier: Apache-2.0
#pragma once

// Does what `heliosproxy kv ...` was asked for, by requests to an admin interface. Who answers these
// is not its business: a proxy elsewhere, a state directory, or a router in a test.

#include "base/result.hpp"
#include "cli/console.hpp"
#include "cli/kv_options.hpp"
#include "cli/state_reader.hpp"

#include <cstdint>

namespace helios::cli {

// Formats. `get`: the value, byte for byte. `ls`: a key per line, percent-encoded where it is not
// UTF-8 or has control characters, always with `--encoded`. `export`: JSON lines {"plugin":..,"key":..,"value":..,"expires_at_ms":..} as
// docs/admin-api.md has the fields; `import` reads them. `stream`: see stream_command.hpp.
// Errors: one line for the user. An import that stops says at which line; what came before it is done.
[[nodiscard]] base::Result<void> run_kv(const KvOptions& options, const AskAdmin& ask,
                                        Console console, std::int64_t now_ms);

}  // namespace helios::cli
