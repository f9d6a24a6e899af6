// SPDX-License-Identifier: Apache-2.0
#pragma once

// What one can log in with as a user, from the most to the least that it opens:
//   a password         whatever the server asks for
//   its MD5 hash       md5 alone: for this user, the hash is as good as the password there
//   keys of SCRAM      scram-sha-256 alone, where the server has the same verifier
//   nothing            a server that asks for nothing
//
// Thread rule: one thread at a time.

#include "auth/scram_client.hpp"
#include "auth/secret_bytes.hpp"

#include <variant>

namespace helios::auth {

// "md5" and 32 hexadecimal digits: PostgreSQL's md5 of password and user name.
struct Md5Hash {
  SecretText text;
};

using Credentials = std::variant<std::monostate, SecretText, Md5Hash, ScramKeys>;

}  // namespace helios::auth
