// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who is at the other end of a Unix socket, as the operating system says.

#include "session/environment.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

namespace helios::net {

// The names of OS users, kept for a while: asking the system may mean asking a directory service.
//
// Thread rule: one thread, and not a worker's, because a question may take its time.
class OsUserNames {
 public:
  // How long an answer holds.
  static constexpr std::chrono::seconds kKeepFor{60};

  // Empty when the system knows no user of that number. That is asked again every time.
  [[nodiscard]] std::string name_of(std::uint32_t uid);

 private:
  struct Known {
    std::string name;
    std::chrono::steady_clock::time_point until;
  };
  std::unordered_map<std::uint32_t, Known> known_;
};

// The process that connected to the other end of `connection`. nullopt: not a Unix socket.
[[nodiscard]] std::optional<session::OsUser> os_user_of(int connection, OsUserNames& names);

}  // namespace helios::net
