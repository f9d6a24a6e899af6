// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "admin/preconditions.hpp"

#include <string>

namespace helios::app {

// From the operating system's random numbers. A number that is counted on disk would do only until somebody
// starts two proxies on copies of one directory.
[[nodiscard]] admin::StartId new_start_id();

// 16 hexadecimal digits.
[[nodiscard]] std::string to_word(admin::StartId id);

}  // namespace helios::app
