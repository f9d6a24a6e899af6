// SPDX-License-Identifier: Apache-2.0

#include "net/connection_limits.hpp"

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
  return ++connections_ <= limits_.max_connections;
}

void ConnectionLimits::close() {
  const std::scoped_lock lock(mutex_);
  --connections_;
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
