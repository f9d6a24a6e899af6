// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the windows are called, in texts of the state and in messages.

#include "policy.hpp"

namespace helios::cost_governor {

struct WindowNames {
  plugin::StringView field;        // in budgets and usages
  plugin::StringView start_field;  // in usages
  plugin::StringView length_field;
  plugin::StringView adjective;  // in messages
  plugin::StringView rows_field;
  plugin::StringView bytes_field;
};

inline constexpr WindowNames kNames[kWindowCount] = {
    {"minute", "minute_start_ms", "minute_ms", "minute", "minute_rows", "minute_bytes"},
    {"hour", "hour_start_ms", "hour_ms", "hourly", "hour_rows", "hour_bytes"},
    {"day", "day_start_ms", "day_ms", "daily", "day_rows", "day_bytes"},
};

}  // namespace helios::cost_governor
