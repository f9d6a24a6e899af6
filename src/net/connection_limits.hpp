// SPDX-License-Identifier: Apache-2.0
#pragma once

// The limits on client connections: all together, of one user, to one database ([limits]).
//
// Thread rule: any thread. Locked once at the start and once at the end of a session.

#include "config/config.hpp"
#include "session/environment.hpp"

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace helios::net {

class ConnectionLimits final : public session::Admission {
 public:
  explicit ConnectionLimits(const config::Limits& limits) : limits_(limits) {}

  // From now on `limits` count; sessions that are there already stay.
  void set_limits(const config::Limits& limits);

  // A client has connected; call close() when its session is gone. False: there are too many. The
  // connection counts all the same: it may be a cancel request, and is told why otherwise.
  [[nodiscard]] bool open();
  void close();

  [[nodiscard]] std::string enter(const std::string& user, const std::string& database) override;
  void leave(const std::string& user, const std::string& database) override;

 private:
  using Counts = std::unordered_map<std::string, std::uint32_t>;

  std::mutex mutex_;  // guards what follows
  config::Limits limits_;
  std::uint32_t connections_ = 0;
  Counts of_user_;
  Counts of_database_;
};

}  // namespace helios::net
