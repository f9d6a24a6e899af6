// SPDX-License-Identifier: Apache-2.0
#pragma once

// The limits on client connections and on logins, of all workers together ([limits]): connections in all, of one user, to one
// database; logins under way in all and of one origin; and how soon logins may follow on others that have failed.
//
// Thread rule: any thread. One lock, taken a few times for each login and once at the end of a session, never while one runs: what
// is counted has to be the sum over all workers, or somebody would have as many guesses more as there are workers.

#include "auth/failed_logins.hpp"
#include "config/config.hpp"
#include "session/environment.hpp"

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace helios::net {

class ConnectionLimits final : public session::Admission {
 public:
  // More clients who are turned away are not even listened to: they hold descriptors.
  static constexpr std::uint32_t kMaxTurnedAway = 256;
  // Logins under way of an origin from which logins have failed too often; others are refused. So that is how many at once wait there.
  static constexpr std::uint32_t kMaxHeldUp = 10;

  explicit ConnectionLimits(const config::Limits& limits) : limits_(limits) {}

  // From now on `limits` count; sessions that are there already stay.
  void set_limits(const config::Limits& limits);

  // A client has connected; call close() when its session is gone. False: there are too many. The
  // connection counts all the same: it may be a cancel request, and is told why otherwise.
  [[nodiscard]] bool open();
  void close();

  // Those that were not turned away.
  [[nodiscard]] std::uint32_t logins_under_way() const;

  // ---- Admission
  [[nodiscard]] session::Arrival arrive(const std::string& origin) override;
  void depart(const std::string& origin, session::Arrival arrival) override;
  [[nodiscard]] std::optional<std::uint32_t> hold_up(const session::LoginClaim& claim) override;
  session::FailureAlarm note_failure(const session::LoginClaim& claim) override;
  void note_success(const session::LoginClaim& claim) override;
  [[nodiscard]] std::string enter(const std::string& user, const std::string& database) override;
  void leave(const std::string& user, const std::string& database) override;

 private:
  using Counts = std::unordered_map<std::string, std::uint32_t>;

  [[nodiscard]] session::Arrival judge_arrival(const std::string& origin) const;

  mutable std::mutex mutex_;  // guards what follows
  config::Limits limits_;
  std::uint32_t connections_ = 0;
  std::uint32_t turned_away_ = 0;  // of these
  std::uint32_t under_way_ = 0;
  Counts of_origin_;
  Counts of_user_;
  Counts of_database_;
  auth::FailedLogins failed_;
};

}  // namespace helios::net
