// SPDX-License-Identifier: Apache-2.0
#pragma once

// By what the proxy lets clients in: host rules, maps and secrets, read together and made for one another. A reload makes
// new ones; logins under way keep theirs.
//
// Thread rule: never changed once they are read; any thread.

#include "auth/challenge.hpp"
#include "auth/host_rules.hpp"
#include "auth/user_list.hpp"
#include "auth/user_map.hpp"
#include "base/result.hpp"
#include "config/config.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace helios::auth {

class LoginRules {
 public:
  // Reads the files of `settings`. `mock_secret`: of make_mock_verifier(). Of each password in clear the verifier is made
  // here, which takes a millisecond or two: a login must not take longer for users who have one. Requires: there is an
  // hba_file. Errors: invalid and those of reading; a line for each thing that is wrong.
  [[nodiscard]] static base::Result<std::shared_ptr<const LoginRules>> load(
      const config::Auth& settings, std::string mock_secret);

  // The rule that fits; null: none does.
  [[nodiscard]] const HostRule* find(const Login& login) const { return host_rules_->find(login); }
  // What is known of a user's password. Lives as long as this.
  [[nodiscard]] const StoredSecret& secret_of(std::string_view user) const;
  // May this OS user be `user`, by the rule's map?
  [[nodiscard]] bool allows(const HostRule& rule, std::string_view system_user,
                            std::string_view user) const {
    return user_map_->allows(rule.map, system_user, user);
  }
  [[nodiscard]] std::string_view mock_secret() const { return mock_secret_; }
  // Those of most verifiers, so that unknown users show the same.
  [[nodiscard]] std::uint32_t mock_iterations() const { return mock_iterations_; }
  [[nodiscard]] std::span<const HostRule> rules() const { return host_rules_->rules(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>()(name);
    }
  };

  LoginRules() = default;
  void take(const UserList& users);
  void count_iterations();
  [[nodiscard]] std::string complaint(const config::Auth& settings) const;

  std::shared_ptr<const HostRules> host_rules_;
  std::shared_ptr<const UserMap> user_map_;
  std::unordered_map<std::string, StoredSecret, Hash, std::equal_to<>> secrets_;
  std::string mock_secret_;
  std::uint32_t mock_iterations_ = 4096;
};
using SharedLoginRules = std::shared_ptr<const LoginRules>;

}  // namespace helios::auth
