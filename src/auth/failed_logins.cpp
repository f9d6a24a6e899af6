// SPDX-License-Identifier: Apache-2.0

#include "auth/failed_logins.hpp"

#include <algorithm>

namespace helios::auth {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

// Three kinds of keys in one table. A name has no NUL inside.
std::string key_of_login(const LoginOrigin& login) {
  return "l" + std::string(login.user) + '\0' + std::string(login.origin);
}
std::string key_of_user(const LoginOrigin& login) { return "u" + std::string(login.user); }
std::string key_of_origin(const LoginOrigin& login) { return "o" + std::string(login.origin); }

std::int64_t failures_at(std::int64_t forgiven_at_ns, std::int64_t forgive_ns,
                         std::int64_t now_ns) {
  const std::int64_t left_ns = std::max<std::int64_t>(forgiven_at_ns - now_ns, 0);
  return (left_ns + forgive_ns - 1) / forgive_ns;
}

// So often the delay doubles before it has its longest.
std::int64_t doublings(const config::Limits& limits) {
  std::int64_t count = 0;
  for (std::uint64_t delay_ms = limits.failed_login_delay_ms;
       delay_ms != 0 && delay_ms < limits.failed_login_max_delay_ms; delay_ms *= 2)
    ++count;
  return count;
}

}  // namespace

FailedLogins::Allowance FailedLogins::of_login(const config::Limits& limits) {
  return {limits.failed_logins,
          std::int64_t{limits.failed_login_window_s} * kSecondNs / limits.failed_logins};
}

FailedLogins::Allowance FailedLogins::of_origin(const config::Limits& limits) {
  const Allowance one = of_login(limits);
  return {one.free * kUsersOfOrigin, one.forgive_ns / kUsersOfOrigin};
}

std::uint32_t FailedLogins::delay_of(std::int64_t failures, const Allowance& allowance,
                                     const config::Limits& limits) {
  const std::int64_t beyond = failures - std::int64_t{allowance.free};
  if (beyond < 0) return 0;
  const std::uint64_t delay_ms = std::uint64_t{limits.failed_login_delay_ms}
                                 << std::min<std::int64_t>(beyond, 31);
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(delay_ms, limits.failed_login_max_delay_ms));
}

std::uint32_t FailedLogins::delay_ms(const LoginOrigin& login, const config::Limits& limits,
                                     std::int64_t now_ns) {
  if (limits.failed_logins == 0 || entries_.empty()) return 0;
  const auto delay = [&](const Entry* entry, const Allowance& allowance) {
    if (entry == nullptr) return std::uint32_t{0};
    return delay_of(failures_at(entry->forgiven_at_ns, allowance.forgive_ns, now_ns), allowance,
                    limits);
  };
  const Entry* own = find(key_of_login(login));
  const std::uint32_t own_ms = delay(own, of_login(limits));
  if (own != nullptr && own->trusted_until_ns > now_ns) return own_ms;
  return std::max(own_ms, delay(find(key_of_origin(login)), of_origin(limits)));
}

FailedLogins::Alarm FailedLogins::note_failure(const LoginOrigin& login,
                                               const config::Limits& limits, std::int64_t now_ns) {
  if (limits.failed_logins == 0) return Alarm::none;
  Alarm alarm = Alarm::none;
  if (count(key_of_login(login), of_login(limits), limits, now_ns)) alarm = Alarm::login;
  if (count(key_of_user(login), of_origin(limits), limits, now_ns)) alarm = Alarm::user;
  if (count(key_of_origin(login), of_origin(limits), limits, now_ns)) alarm = Alarm::origin;
  return alarm;
}

// True: this one makes what is free full.
bool FailedLogins::count(const std::string& key, const Allowance& allowance,
                         const config::Limits& limits, std::int64_t now_ns) {
  Entry& entry = touch(key);
  const std::int64_t before = failures_at(entry.forgiven_at_ns, allowance.forgive_ns, now_ns);
  const std::int64_t most = std::int64_t{allowance.free} + doublings(limits);
  const std::int64_t now = std::min(before + 1, most);
  entry.forgiven_at_ns = std::min(std::max(entry.forgiven_at_ns, now_ns) + allowance.forgive_ns,
                                  now_ns + most * allowance.forgive_ns);
  return before < std::int64_t{allowance.free} && now >= std::int64_t{allowance.free};
}

void FailedLogins::note_success(const LoginOrigin& login, const config::Limits& limits,
                                std::int64_t now_ns) {
  if (limits.failed_logins == 0 || entries_.empty()) return;
  const std::string key = key_of_login(login);
  const Entry* others = find(key_of_origin(login));
  const bool is_amid_failures = others != nullptr && others->forgiven_at_ns > now_ns;
  if (!is_amid_failures && find(key) == nullptr) return;
  Entry& own = touch(key);
  own.forgiven_at_ns = now_ns;
  own.trusted_until_ns = now_ns + std::int64_t{limits.failed_login_window_s} * kSecondNs;
}

FailedLogins::Entry* FailedLogins::find(const std::string& key) {
  const auto found = index_.find(key);
  return found == index_.end() ? nullptr : &*found->second;
}

FailedLogins::Entry& FailedLogins::touch(const std::string& key) {
  const auto found = index_.find(key);
  if (found != index_.end()) {
    entries_.splice(entries_.begin(), entries_, found->second);
    return entries_.front();
  }
  if (entries_.size() == kMaxEntries) {
    index_.erase(entries_.back().key);
    entries_.pop_back();
  }
  entries_.push_front({.key = key});
  try {
    index_.emplace(entries_.front().key, entries_.begin());
  } catch (...) {
    entries_.pop_front();
    throw;
  }
  return entries_.front();
}

}  // namespace helios::auth
