// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace helios::fuzz {

// An error about a file is lines "FILE:LINE: ...", one for each thing that is wrong: printable, and LINE exists in `text`.
void require_error_lines(std::string_view message, std::string_view file, std::string_view text);

}  // namespace helios::fuzz
