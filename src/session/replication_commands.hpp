// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace helios::session {

// Does the server of a replication connection read this text by a grammar of its own? It looks at the first
// word, which is in capitals, and runs no SQL then (PostgreSQL manual, "Streaming Replication Protocol").
[[nodiscard]] bool is_replication_command(std::string_view text);

}  // namespace helios::session
