// SPDX-License-Identifier: Apache-2.0
#pragma once

// What check_write is told: which key somebody outside (the admin interface, `heliosproxy kv put`) wants to set, and to
// what. The hook answers proceed(), or block("why not"), which is what the operator reads. It can read the plugin's state,
// but not change it. Nothing is fetched before it is asked for, so a hook may leave large values alone.

#include "helios/query.hpp"
#include "helios/text.hpp"
#include "helios_abi2.h"

#include <stddef.h>
#include <stdint.h>

namespace helios::plugin {

// Valid within the hook call that it was passed to.
class WriteContext {
 public:
  // Bytes, as everything that is stored.
  [[nodiscard]] String key() const {
    return detail::bytes_field(HELIOS_WRITE_KEY).value_or(String());
  }
  [[nodiscard]] String value() const {
    return detail::bytes_field(HELIOS_WRITE_VALUE).value_or(String());
  }
  // Of value(), without fetching it.
  [[nodiscard]] size_t value_size() const {
    const int32_t bytes = helios_field_length(HELIOS_WRITE_VALUE);
    return bytes < 0 ? 0 : static_cast<size_t>(bytes);
  }
};

}  // namespace helios::plugin
