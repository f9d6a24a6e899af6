// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is known of a user's password.

#include "auth/secret_bytes.hpp"
#include "base/result.hpp"

#include <string>
#include <string_view>

namespace helios::auth {

enum class SecretKind {
  none,           // empty: no password lets this user in, as in PostgreSQL
  plain,          // the password itself
  md5,            // "md5", then 32 hexadecimal digits in lower case
  scram_sha_256,  // a verifier that parse_verifier() reads
};

// Can be moved, not copied: nothing but the list needs one for long.
struct UserSecret {
  UserSecret() = default;
  UserSecret(UserSecret&& other) noexcept;
  UserSecret& operator=(UserSecret&& other) noexcept;
  UserSecret(const UserSecret&) = delete;
  UserSecret& operator=(const UserSecret&) = delete;
  ~UserSecret() = default;

  // Tells the kind by the form of `text`, as PostgreSQL does, but for two cases: a malformed SCRAM verifier is an error
  // and no password, and so are md5's digits in upper case a hash: both would else be a password that can be read off a
  // list. Errors: invalid; nothing of `text` is in the message.
  [[nodiscard]] static base::Result<UserSecret> of(std::string_view text);

  SecretKind kind = SecretKind::none;
  SecretText text;
};

}  // namespace helios::auth
