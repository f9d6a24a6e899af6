// SPDX-License-Identifier: Apache-2.0
#pragma once

// Caps on what a module may consist of, looked at before the engine sees it: a walk over its sections
// that allocates nothing and takes microseconds. They bound what the compiler holds for one function,
// what an instance needs to start, and the longest stretch of code without a call or a loop, which
// nothing can interrupt. They do not bound the compiler's time: see CompileGuard. Real plugins stay far
// below all of them.

#include "base/result.hpp"

#include <cstdint>
#include <string_view>

namespace helios::plugins {

struct ModuleLimits {
  std::uint32_t types = 10'000;
  std::uint32_t values_per_type = 128;  // parameters and results of a function type, each
  std::uint32_t imports = 100;          // the proxy offers a handful
  std::uint32_t functions = 20'000;
  std::uint32_t function_bytes = 256 * 1024;
  std::uint32_t locals_per_function = 2'000;
  std::uint32_t exports = 1'000;
  std::uint32_t globals = 10'000;
  std::uint32_t elements = 1'000;  // segments
  std::uint32_t data = 10'000;     // segments
};

// Errors: invalid, one line, when the module is over one of the limits, or a component. What is
// malformed is not reported: the engine does, and knows better why.
[[nodiscard]] base::Result<void> check_module_limits(std::string_view binary,
                                                     const ModuleLimits& limits = {});

}  // namespace helios::plugins
