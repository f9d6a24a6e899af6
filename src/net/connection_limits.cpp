// SPDX-License-Identifier: Apache-2.0

#include "net/connection_limits.hpp"

#include <algorithm>

namespace helios::net {
namespace {

bool is_full(const std::unordered_map<std::string, std::uint32_t>& counts, const std::string& name,
             std::uint32_t limit) {
  const auto found = counts.find(name);
  return limit != 0 && found != counts.end() && found->second >= limit;
}

void take_off(std::unordered_map<std::string, std::uint32_t>& counts, const std::string& name) {
  const auto found = counts.find(name);
  if (found != counts.end() && --found->second == 0) {
    counts.erase(found);
  }
}

}  // namespace

void ConnectionLimits::set_limits(const config::Limits& limits) {
  const std::scoped_lock lock(mutex_);
  limits_ = limits;
}

bool ConnectionLimits::open() {
  const std::scoped_lock lock(mutex_);
  // Who is turned away takes no place from others.
  return ++connections_ - turned_away_ <= limits_.max_connections;
}

void ConnectionLimits::close() {
  const std::scoped_lock lock(mutex_);
  --connections_;
}

std::uint32_t ConnectionLimits::logins_under_way() const {
  const std::scoped_lock lock(mutex_);
  return under_way_;
}

session::Arrival ConnectionLimits::judge_arrival(const std::string& origin) const {
  using enum session::Arrival;
  // Where there are few places in all, nobody needs to be kept from taking them at once.
  constexpr std::uint32_t kLeast = 16;
  const std::uint32_t most_of_origin = limits_.max_address_logins_under_way != 0
                                           ? limits_.max_address_logins_under_way
                                           : std::max(kLeast, limits_.max_connections / 2);
  const bool is_full_for_all =
      limits_.max_logins_under_way != 0 && under_way_ >= limits_.max_logins_under_way;
  const bool is_full_for_origin = is_full(of_origin_, origin, most_of_origin);
  if (!is_full_for_all && !is_full_for_origin) return welcome;
  if (turned_away_ >= kMaxTurnedAway) return dropped;
  return is_full_for_origin ? too_many_of_origin : too_many;
}

session::Arrival ConnectionLimits::arrive(const std::string& origin) {
  const std::scoped_lock lock(mutex_);
  const session::Arrival arrival = judge_arrival(origin);
  if (arrival != session::Arrival::welcome) {
    ++turned_away_;
    return arrival;
  }
  ++of_origin_[origin];
  ++under_way_;
  return arrival;
}

void ConnectionLimits::depart(const std::string& origin, session::Arrival arrival) {
  const std::scoped_lock lock(mutex_);
  if (arrival != session::Arrival::welcome) {
    --turned_away_;
    return;
  }
  take_off(of_origin_, origin);
  --under_way_;
}

// Those before it leave it time to get in.
std::optional<std::uint32_t> ConnectionLimits::hold_up(const session::LoginClaim& claim) {
  const std::scoped_lock lock(mutex_);
  std::uint32_t delay_ms = failed_.delay_ms({claim.user, claim.origin}, limits_, claim.now_ns);
  if (delay_ms == 0) return 0;
  const auto together = of_origin_.find(std::string(claim.origin));
  if (together != of_origin_.end() && together->second > kMaxHeldUp) return std::nullopt;
  if (limits_.login_timeout_ms != 0) delay_ms = std::min(delay_ms, limits_.login_timeout_ms / 2);
  return delay_ms;
}

session::FailureAlarm ConnectionLimits::note_failure(const session::LoginClaim& claim) {
  const std::scoped_lock lock(mutex_);
  return failed_.note_failure({claim.user, claim.origin}, limits_, claim.now_ns);
}

void ConnectionLimits::note_success(const session::LoginClaim& claim) {
  const std::scoped_lock lock(mutex_);
  failed_.note_success({claim.user, claim.origin}, limits_, claim.now_ns);
}

std::string ConnectionLimits::enter(const std::string& user, const std::string& database) {
  const std::scoped_lock lock(mutex_);
  if (is_full(of_user_, user, limits_.max_user_connections)) {
    return "too many connections for user \"" + user + "\"";
  }
  if (is_full(of_database_, database, limits_.max_database_connections)) {
    return "too many connections for database \"" + database + "\"";
  }
  std::uint32_t& of_user = of_user_[user];
  std::uint32_t& of_database = of_database_[database];  // which may throw
  ++of_user;
  ++of_database;
  return {};
}

void ConnectionLimits::leave(const std::string& user, const std::string& database) {
  const std::scoped_lock lock(mutex_);
  take_off(of_user_, user);
  take_off(of_database_, database);
}

}  // namespace helios::net
