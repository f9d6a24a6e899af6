// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace helios::admin {

// docs/openapi.yaml as it was when the program was built.
[[nodiscard]] std::string_view openapi_text();

}  // namespace helios::admin
