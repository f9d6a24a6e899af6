// SPDX-License-Identifier: Apache-2.0
#pragma once

// One of [[identity.rules]]: which clients it is for, and what it says about them. What it means for a session stands in
// session/identity_rules.hpp.

#include "config/client_pattern.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::config {

// The settings that have words of their own in a rule, and short names among the attributes that plugins see.
inline constexpr std::string_view kTenantSetting = "helios.tenant_id";
inline constexpr std::string_view kAgentSetting = "helios.agent_id";
inline constexpr std::string_view kModelSetting = "helios.model_id";
inline constexpr std::string_view kRolesSetting = "helios.roles";

// What rules may take. A login looks at all of them, one after the other.
inline constexpr std::size_t kMaxIdentityRules = 1000;
inline constexpr std::size_t kMaxRuleSettings = 32;    // of one rule
inline constexpr std::size_t kMaxRuleTextBytes = 256;  // a pattern, a value, a role
inline constexpr std::size_t kMaxRuleRoles = 64;
inline constexpr std::size_t kMaxSettingNameBytes = 63;

// A name and its value, in which there may be placeholders.
using RuleSetting = std::pair<std::string, std::string>;

// Patterns are names, or contain one '*' that stands for any run of characters.
struct IdentityRule {
  std::string user = "*";      // user = "*"
  std::string database = "*";  // database = "*"
  ClientPattern client;        // client = "*" | "local" | an address | a range in CIDR notation
  // os_user = "": whoever. Otherwise only clients on the Unix socket whose OS user has a name that fits.
  std::string os_user;
  // tenant, agent, model, roles, set: by name, each once, at least one. Every name begins with "helios.". In each value
  // every placeholder is known, and can be filled in for each client that the rule fits.
  std::vector<RuleSetting> settings;
  // pinned = true: nothing the client does changes them, and trying is refused. false: only the start values of a
  // session that brings none.
  bool pinned = true;
  bool is_tenant_rule = false;  // it was written as one of [[tenant.rules]]
  bool operator==(const IdentityRule&) const = default;
};

}  // namespace helios::config
