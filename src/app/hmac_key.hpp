// SPDX-License-Identifier: Apache-2.0
#pragma once

// The key of the digests that plugins keep of parameters. It stands beside the state and lives as long as that.

#include "base/result.hpp"
#include "plugins/hmac.hpp"

#include <string>

namespace helios::app {

inline constexpr const char* kHmacKeyFile = "hmac.key";

// Of this process alone.
[[nodiscard]] plugins::HmacKey random_hmac_key();

// That of a state directory, which is there and open by this process: read, or made at the first start. Errors: invalid (it is no key, or
// others may read it), unavailable (the file cannot be read or written).
[[nodiscard]] base::Result<plugins::HmacKey> hmac_key_of(const std::string& directory);

// Writes it to `directory`, where there is none, for the owner alone, and on disk. Errors: unavailable.
[[nodiscard]] base::Result<void> write_hmac_key(const std::string& directory,
                                                const plugins::HmacKey& key);

}  // namespace helios::app
