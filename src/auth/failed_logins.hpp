// SPDX-License-Identifier: Apache-2.0
#pragma once

// How often logins have failed of late, and how long the next ones have to wait for it ([limits] failed_logins and its sisters).
//
// Failures are counted by (user, origin) and by origin: who guesses passwords waits, and an owner of the name who comes from
// elsewhere does not notice. By user alone they are only counted. A failure is forgiven after `failed_login_window_s` divided by the
// number that is free, and what is counted beyond that number has a limit; so whatever somebody does, everybody comes in again a
// while after it, however often he has failed. Who has got in from an origin does not wait for what others do there.
//
// An origin is an address, or whatever else a caller has for where a client comes from.
//
// Thread rule: one thread at a time.

#include "config/config.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

namespace helios::auth {

// Who wants in, and from where. Views: until the call that is given it returns.
struct LoginOrigin {
  std::string_view user;
  std::string_view origin;
};

class FailedLogins {
 public:
  // More are forgotten, those first that have not failed for longest: a crowd of addresses costs no more memory than that.
  static constexpr std::size_t kMaxEntries = 10'000;
  // As many failures of all users of one origin are free as of so many users.
  static constexpr std::uint32_t kUsersOfOrigin = 10;

  // Of whom there are now more failures than are free. More than one: the last of them.
  enum class Alarm { none, login, user, origin };

  // How long such a login has to wait before anybody looks at it; 0: it need not.
  [[nodiscard]] std::uint32_t delay_ms(const LoginOrigin& login, const config::Limits& limits,
                                       std::int64_t now_ns);
  Alarm note_failure(const LoginOrigin& login, const config::Limits& limits, std::int64_t now_ns);
  void note_success(const LoginOrigin& login, const config::Limits& limits, std::int64_t now_ns);

  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string key;
    std::int64_t forgiven_at_ns = 0;    // when no failure is left
    std::int64_t trusted_until_ns = 0;  // he has got in, amid failures of others
  };
  // What is free, and how fast it is forgiven.
  struct Allowance {
    std::uint32_t free = 0;
    std::int64_t forgive_ns = 0;  // each
  };

  [[nodiscard]] static Allowance of_login(const config::Limits& limits);
  [[nodiscard]] static Allowance of_origin(const config::Limits& limits);
  [[nodiscard]] static std::uint32_t delay_of(std::int64_t failures, const Allowance& allowance,
                                              const config::Limits& limits);
  [[nodiscard]] Entry* find(const std::string& key);
  Entry& touch(const std::string& key);
  bool count(const std::string& key, const Allowance& allowance, const config::Limits& limits,
             std::int64_t now_ns);

  std::list<Entry> entries_;  // the one that has failed last is the first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> index_;
};

}  // namespace helios::auth
