// SPDX-License-Identifier: Apache-2.0
#pragma once

// Does what `heliosproxy kv stream ...` was asked for: lists streams, prints records, follows a stream, or
// verifies its chain.

#include "base/result.hpp"
#include "cli/console.hpp"
#include "cli/kv_options.hpp"
#include "cli/state_reader.hpp"

#include <cstdint>

namespace helios::cli {

// Formats. A record is a line NUMBER, TIME, VALUE with tabs between; the value is percent-encoded where it is not UTF-8 or has control
// characters. With --json it is a line of JSON as docs/admin-api.md has it.
// Errors: one line for the user. What was printed before one stands.
[[nodiscard]] base::Result<void> run_stream(const KvOptions& options, const AskAdmin& ask,
                                            const Console& console, std::int64_t now_ms);

}  // namespace helios::cli
