// SPDX-License-Identifier: Apache-2.0
#include "backend/server_login.hpp"

#include "base/byte_reader.hpp"
#include "pgwire/message_types.hpp"

namespace helios::backend {

namespace be = pgwire::backend;

namespace {

// No message of a login comes near this.
constexpr std::uint32_t kMaxLoginBytes = 1 << 20;

}  // namespace

ServerLogin::Reading ServerLogin::reading_of(char type, std::uint32_t length) {
  switch (type) {
    case be::kAuthentication:
    case be::kBackendKeyData:
    case be::kParameterStatus:
    case be::kErrorResponse:
    case be::kReadyForQuery: return length > kMaxLoginBytes ? Reading::refused : Reading::whole;
    case be::kNoticeResponse:
    case be::kNegotiateProtocolVersion: return Reading::pieces;
    default: return Reading::refused;
  }
}

void ServerLogin::on_request(std::string_view body) {
  constexpr std::uint32_t kOk = 0;
  constexpr std::uint32_t kSaslFinal = 12;  // tells something, and asks nothing
  const std::uint32_t request = base::ByteReader(body).read_u32();
  is_authenticated_ = request == kOk && body.size() == 4;
  is_password_asked_ = request != kOk && request != kSaslFinal;
}

}  // namespace helios::backend
