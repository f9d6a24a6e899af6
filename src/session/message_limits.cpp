// SPDX-License-Identifier: Apache-2.0
#include "session/message_limits.hpp"

#include "pgwire/message_types.hpp"
#include "pgwire/sqlstate.hpp"

namespace helios::session {

namespace sqlstate = pgwire::sqlstate;

std::optional<LimitError> exceeded_limit(char type, std::uint32_t length,
                                         std::uint64_t max_message_bytes) {
  const std::uint32_t limit = pgwire::frontend_length_limit(type);
  if (limit == 0 || type == pgwire::frontend::kPassword) {
    return LimitError{
        sqlstate::kProtocolViolation,
        "invalid frontend message type " + std::to_string(static_cast<unsigned char>(type))};
  }
  if (length > limit) return LimitError{sqlstate::kProtocolViolation, "invalid message length"};
  if (length <= max_message_bytes) return std::nullopt;
  return LimitError{sqlstate::kProgramLimitExceeded,
                    "a message of " + std::to_string(length) +
                        " bytes is longer than [limits] max_message_bytes allows"};
}

}  // namespace helios::session
