// SPDX-License-Identifier: Apache-2.0
#include "app/descriptor_limit.hpp"

#include <string>

#include <sys/resource.h>

namespace helios::app {

// Every session takes two descriptors.
void raise_descriptor_limit(const config::Limits& limits, base::Log& log) {
  constexpr rlim_t kOthers = 64;  // the process itself, the admin interface
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return;
  }
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t needed = 2 * rlim_t{limits.max_connections} + kOthers;
  if (limit.rlim_max < needed) {
    log.write(base::LogLevel::warning,
              "the limit of " + std::to_string(limit.rlim_max) + " descriptors is too low for " +
                  "[limits] max_connections = " + std::to_string(limits.max_connections) + ": " +
                  std::to_string(needed) + " are needed");
  }
}

}  // namespace helios::app
