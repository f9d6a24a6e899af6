// SPDX-License-Identifier: Apache-2.0
#pragma once

// SCRAM-SHA-256 (RFC 5802, RFC 7677) as PostgreSQL speaks it: what a verifier is, and the computations that both sides
// share. The conversation of a server is in scram_server.hpp, that of a client in scram_client.hpp.
//
// What each part can do:
//  - StoredKey and ServerKey, the verifier: check a client's proof, and prove to him that one knows them. Nobody can log in
//    with them.
//  - ClientKey: log in, wherever the verifier is the same, and prove nothing else. It shows in a client's proof to whoever
//    has the verifier: that is how a proxy logs in to the server without any password.
//
// Thread rule: none; everything here is a value.

#include "auth/secret_bytes.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace helios::auth {

inline constexpr std::string_view kScram = "SCRAM-SHA-256";
inline constexpr std::string_view kScramPlus = "SCRAM-SHA-256-PLUS";
// More rounds would keep us busy for seconds.
inline constexpr std::uint32_t kMaxScramIterations = 1'000'000;

// What PostgreSQL stores for a user (pg_authid.rolpassword).
struct ScramVerifier {
  std::uint32_t iterations = 4096;
  std::string salt;  // bytes
  Key stored_key;
  Key server_key;

  // Of another one made from the same password a proof fits too: same salt, iterations and keys.
  [[nodiscard]] bool operator==(const ScramVerifier&) const = default;
};

// "SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>", all but the first number in base64.
// Errors: invalid; the message does not show the text.
[[nodiscard]] base::Result<ScramVerifier> parse_verifier(std::string_view text);
[[nodiscard]] std::string to_text(const ScramVerifier& verifier);

// The verifier of a password: as prepare_password() leaves it. Takes about a millisecond for 4,096 iterations.
[[nodiscard]] ScramVerifier make_verifier(std::string_view password, std::string salt,
                                          std::uint32_t iterations);

// A verifier that no password fits, for a user whom nobody knows: always the same one for the same user and `secret`, so
// that he cannot be told from others by his salt.
[[nodiscard]] ScramVerifier make_mock_verifier(std::string_view user, std::string_view secret,
                                               std::uint32_t iterations = 4096);

// SASLprep (RFC 4013), which makes one of the many ways to write a password; what it does not allow, or is not UTF-8, stays
// as it is, as in PostgreSQL.
[[nodiscard]] SecretText prepare_password(std::string_view password);

// ---- The computations of RFC 5802, section 3, for both sides.

[[nodiscard]] Key hmac(const Key& key, std::string_view text);
[[nodiscard]] Key hash(const Key& key);
[[nodiscard]] Key exclusive_or(const Key& one, const Key& other);
// PBKDF2 with HMAC-SHA-256. Throws: std::bad_alloc.
[[nodiscard]] Key salted_password(std::string_view password, std::string_view salt,
                                  std::uint32_t iterations);
[[nodiscard]] Key client_key(const Key& salted_password);
[[nodiscard]] Key server_key(const Key& salted_password);

// 24 printable characters that nobody can guess.
[[nodiscard]] std::string make_nonce();

}  // namespace helios::auth
