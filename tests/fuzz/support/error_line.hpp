// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace helios::fuzz {

// An error about a file is one line "FILE:LINE: ...": printable, and LINE exists in `text`.
void require_error_line(std::string_view message, std::string_view file, std::string_view text);

}  // namespace helios::fuzz
