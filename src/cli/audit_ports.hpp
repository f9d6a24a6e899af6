// SPDX-License-Identifier: Apache-2.0
#pragma once

// What `heliosproxy audit ...` has around it.

#include "cli/console.hpp"
#include "cli/stream_reader.hpp"

#include <cstdint>
#include <iosfwd>

namespace helios::cli {

struct AuditPorts {
  StateAccess state;
  Console console;
  std::ostream& notes;      // for people: what is about the output, and no part of it
  std::int64_t now_ms = 0;  // since 1970-01-01 UTC
};

}  // namespace helios::cli
