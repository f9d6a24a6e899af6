// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which form of an answer a client wants.

#include <string_view>

namespace helios::admin {

// Whether the client named `type` before JSON, in the Accept header that is given. Weights (";q=") are not
// looked at.
[[nodiscard]] bool prefers(std::string_view accept, std::string_view type);

}  // namespace helios::admin
