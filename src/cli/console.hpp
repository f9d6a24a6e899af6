// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>

namespace helios::cli {

// What a command has around it: where values come from and results go to, and how it waits.
struct Console {
  std::istream& in;
  std::ostream& out;
  std::function<void(std::int64_t ms)> pause;
};

}  // namespace helios::cli
