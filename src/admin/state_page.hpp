// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "admin/message.hpp"
#include "kv/store.hpp"

namespace helios::admin {

// GET /admin/state: every namespace with what it holds, the sums, the limits, and whether the store
// works. docs/admin-api.md has the fields.
[[nodiscard]] Response state_reply(kv::Store& store);

}  // namespace helios::admin
