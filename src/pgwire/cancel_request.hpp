// SPDX-License-Identifier: Apache-2.0
#pragma once

// CancelRequest (F) and the key in BackendKeyData (B).
//
//   CancelRequest:  Int32 length, Int32 80877102, Int32 process id, Byte[n] secret key
//   BackendKeyData: 'K', Int32 length, Int32 process id, Byte[n] secret key
// The secret is 4 bytes in protocol 3.0 and up to 256 in 3.2.

#include "base/result.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace helios::pgwire {

inline constexpr std::size_t kMaxCancelSecretBytes = 256;

struct CancelKey {
  std::int32_t process_id = 0;
  std::string secret;
  bool operator==(const CancelKey&) const = default;
};

// Decodes what follows the length word and the code of a CancelRequest, or the body of
// BackendKeyData: they are the same. Errors: invalid.
[[nodiscard]] base::Result<CancelKey> parse_cancel_key(std::string_view body);

// The complete CancelRequest packet.
[[nodiscard]] std::string serialize_cancel_request(const CancelKey& key);

}  // namespace helios::pgwire

template <>
struct std::hash<helios::pgwire::CancelKey> {
  std::size_t operator()(const helios::pgwire::CancelKey& key) const noexcept {
    return std::hash<std::string>{}(key.secret) ^ static_cast<std::size_t>(key.process_id);
  }
};
