// SPDX-License-Identifier: Apache-2.0
#pragma once

// Files whose content nobody else may know: keys, tokens.

#include "base/result.hpp"

#include <cstddef>
#include <string>

namespace helios::config {

// The content of `path`, a regular file of this process's user that nobody else may touch (0600 or
// stricter); or one of root's that at most a group may read beside him (0640), as PostgreSQL has it
// for ssl_key_file. Errors: not_found (cannot be opened or read), invalid (not a file, or others may
// read it), limit_exceeded (larger than `max_bytes`); the message begins with the path.
[[nodiscard]] base::Result<std::string> read_secret_file(const std::string& path,
                                                         std::size_t max_bytes);

}  // namespace helios::config
