// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the hook event is told: something that happened and is about no statement. It may read and write state like any
// other hook; there is nothing that it could refuse.

#include "helios/query.hpp"
#include "helios/text.hpp"
#include "helios_abi2.h"

namespace helios::plugin {

// Valid within the hook call that it was passed to.
class EventContext {
 public:
  // "start", "stop", "reload", "admin", "login_denied", "block", "unblock"; later versions of the proxy have more.
  [[nodiscard]] String kind() const {
    return detail::bytes_field(HELIOS_EVENT_KIND).value_or(String());
  }
  // One JSON object, at most 32 KiB; docs/plugin-abi.md lists its members for each kind.
  [[nodiscard]] String json() const {
    return detail::bytes_field(HELIOS_EVENT_DETAIL).value_or(String());
  }
};

}  // namespace helios::plugin
