// SPDX-License-Identifier: Apache-2.0
#pragma once

// Messages of the extended protocol that the server could not read either, and that it must not get: the proxy refuses
// them, in the server's words. Why not the server: of a Bind it calls the input functions of the values in front of what is
// wrong, and an Execute must not run a portal that nobody has held against its judgement.
//
// Pure. Thread rule: any thread.

#include "session/refusal.hpp"

#include <optional>
#include <string_view>

namespace helios::session {

// Requires: pgwire::parse_execute(), or parse_bind(), does not read `body`.
[[nodiscard]] Refusal malformed_execute(std::string_view body);
[[nodiscard]] Refusal malformed_bind(std::string_view body);

// The statement that such a Bind names; nullopt: its names cannot be read. Lifetime: that of `body`.
[[nodiscard]] std::optional<std::string_view> statement_of_bind(std::string_view body);

}  // namespace helios::session
