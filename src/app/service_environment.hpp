// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a service manager such as systemd tells a process by its environment: sd_notify(3), sd_watchdog_enabled(3) and
// sd_listen_fds(3). Pure: nothing is opened here.

#include "base/result.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace helios::app {

struct PassedDescriptor {
  int number = -1;
  std::string name;  // FileDescriptorName= of the socket unit; "unknown" where there is none
};

struct ServiceEnvironment {
  std::string notify_socket;     // empty: nobody wants to be told anything
  std::int64_t watchdog_us = 0;  // silence after which the process is killed; 0: none
  std::vector<PassedDescriptor> descriptors;
};

// The value of a variable; null: there is none.
using EnvironmentLookup = std::function<const char*(const char* name)>;

// Reads NOTIFY_SOCKET; WATCHDOG_USEC, unless WATCHDOG_PID is another process; LISTEN_FDS and LISTEN_FDNAMES, if
// LISTEN_PID is `process_id`: variables that were meant for somebody else are inherited, too.
// Errors: invalid, when a value that is meant for this process is no number, or too large; the message names it.
[[nodiscard]] base::Result<ServiceEnvironment> read_service_environment(
    const EnvironmentLookup& lookup, std::int64_t process_id);

}  // namespace helios::app
