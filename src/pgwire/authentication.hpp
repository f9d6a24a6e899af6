// SPDX-License-Identifier: Apache-2.0
#pragma once

// The messages of a login (manual, "Message Formats"): what the server side asks, Authentication ('R'), and what the client
// side answers with a 'p': PasswordMessage, SASLInitialResponse, SASLResponse.

#include "base/result.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace helios::pgwire {

enum class AuthenticationRequest : std::uint32_t {
  ok = 0,
  cleartext_password = 3,
  md5_password = 5,
  sasl = 10,
  sasl_continue = 11,
  sasl_final = 12,
};

using Md5Salt = std::array<char, 4>;

// ---- What asks. Whole messages.

[[nodiscard]] std::string authentication_message(AuthenticationRequest request,
                                                 std::string_view data = {});
[[nodiscard]] std::string md5_request(const Md5Salt& salt);
[[nodiscard]] std::string sasl_request(std::span<const std::string_view> mechanisms);

// The body of such a message: its kind, and what follows it. Errors: invalid.
struct AuthenticationBody {
  AuthenticationRequest request = AuthenticationRequest::ok;
  std::string_view data;
};
[[nodiscard]] base::Result<AuthenticationBody> parse_authentication(std::string_view body);
// The mechanisms of a `sasl` request. Errors: invalid.
[[nodiscard]] base::Result<std::vector<std::string_view>> parse_mechanisms(std::string_view data);

// ---- What answers.

// With its NUL, and none in it. Requires: no NUL inside.
[[nodiscard]] std::string password_message(std::string_view password);
[[nodiscard]] std::string sasl_initial_response(std::string_view mechanism, std::string_view data);
[[nodiscard]] std::string sasl_response(std::string_view data);

// The body of a PasswordMessage, without its NUL. Errors: invalid.
[[nodiscard]] base::Result<std::string_view> parse_password(std::string_view body);
struct SaslInitialResponse {
  std::string_view mechanism;
  std::optional<std::string_view> data;  // nullopt: the client wants to be asked for it
};
// Errors: invalid.
[[nodiscard]] base::Result<SaslInitialResponse> parse_sasl_initial_response(std::string_view body);

}  // namespace helios::pgwire
