// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the configuration says about a client: which of its rules is for it, and what that rule sets. Pure.

#include "config/config.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::session {

// What rules look at, as far as it is known before anybody has been asked for a password. Views.
struct ClientFacts {
  std::string_view user;
  std::string_view database;
  std::string_view ip;       // empty: through the Unix socket
  std::string_view os_user;  // empty: by TCP, or the system has no name for him
};

struct RuleMatch {
  const config::IdentityRule* rule = nullptr;  // one of those that were passed
  // What it sets, by name, with its placeholders filled in. A value is empty where a star stood for nothing.
  std::vector<std::pair<std::string, std::string>> settings;
};

// The first of `rules` that fits the client in everything, applied to it; nullopt: none does. A rule counts as a whole: what
// it does not set is not looked for in those behind it. Names are compared byte by byte. A placeholder is filled in once:
// braces in a name are letters like any other.
[[nodiscard]] std::optional<RuleMatch> match_rules(const config::Identity& rules,
                                                   const ClientFacts& client);

// May `user` set helios.tenant_id, in the startup packet or by SQL?
[[nodiscard]] bool may_set_tenant(const config::Tenant& rules, std::string_view user);

}  // namespace helios::session
