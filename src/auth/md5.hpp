// SPDX-License-Identifier: Apache-2.0
#pragma once

// PostgreSQL's md5 passwords: weak, and still what old servers and clients have.

#include <string>
#include <string_view>

namespace helios::auth {

// What PostgreSQL stores: "md5" and md5(password, user) in hexadecimal digits.
[[nodiscard]] std::string md5_hash(std::string_view password, std::string_view user);

// What a client answers with who has it: "md5" and md5(hash without "md5", salt). Requires: `hash` is such a hash.
[[nodiscard]] std::string md5_answer(std::string_view hash, std::string_view salt);

// Takes the same time wherever they differ.
[[nodiscard]] bool equals_secretly(std::string_view one, std::string_view other);

}  // namespace helios::auth
