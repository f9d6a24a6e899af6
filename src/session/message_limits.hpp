// SPDX-License-Identifier: Apache-2.0
#pragma once

// What no message of a client may be, whatever it says. Pure; any thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace helios::session {

struct LimitError {
  std::string_view sqlstate;  // static storage
  std::string message;
};

// What ends the session for the header of a message that a client sends after its login: a type that there is not, or a
// length that it cannot have or that [limits] does not allow. Nullopt: nothing.
[[nodiscard]] std::optional<LimitError> exceeded_limit(char type, std::uint32_t length,
                                                       std::uint64_t max_message_bytes);

}  // namespace helios::session
