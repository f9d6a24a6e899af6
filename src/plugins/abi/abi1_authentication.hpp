// SPDX-License-Identifier: Apache-2.0
#pragma once

// What an authenticate of ABI 1 answers:
//   {"action": "defer"}
//   {"action": "denied", "message": "why"}
//   {"action": "success", "identity": {"user_id", "username", "roles": [], "tenant_id"}}

#include "base/result.hpp"
#include "hooks/authentication.hpp"

#include <string_view>

namespace helios::plugins {

// Errors: invalid: not JSON, or an unknown action.
[[nodiscard]] base::Result<hooks::AuthenticationVerdict> abi1_authentication(std::string_view json);

}  // namespace helios::plugins
