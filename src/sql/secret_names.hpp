// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace helios::sql {

// Does a column, a parameter or a key of this name hold a secret: password, passwd, pwd, pass, passphrase, secret, token,
// credentials, api_key and their like, alone or as a part (rolpassword, DB_PASSWORD, x-api-key)? Not what says something about
// one: password_encryption, password_required, token_id. In any case; '-' counts as '_'. Only the last 256 bytes are looked at.
[[nodiscard]] bool is_secret_name(std::string_view name);

// The same for an option of a server or a user, or a setting, where "key", "ssl_key" and "passfile" are secrets, too.
[[nodiscard]] bool is_secret_option(std::string_view name);

// Which arguments of a function hold secrets, by its name: bit 0 is the first.
[[nodiscard]] unsigned secret_arguments_of(std::string_view function);

}  // namespace helios::sql
