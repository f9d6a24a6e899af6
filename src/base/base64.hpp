// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace helios::base {

// RFC 4648 section 4, with padding.
[[nodiscard]] std::string base64_encode(std::string_view bytes);

// The bytes that base64_encode() gives `text` for. Errors: invalid, for anything else.
[[nodiscard]] Result<std::string> base64_decode(std::string_view text);

}  // namespace helios::base
