// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the configuration says about the tenant of a user, and who may say otherwise.

#include "config/config.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace helios::session {

struct TenantBinding {
  std::string tenant;
  bool is_pinned = false;  // nothing the client does can change it; otherwise only a start value
  const config::TenantRule* rule = nullptr;  // that says so; one of those that were passed
};

// The first rule of `rules` that fits `user` and `database`, applied to them; nullopt: none does.
// A pattern is the name itself, or contains one '*' that stands for any run of characters; {*} in the
// tenant is what the '*' of the user pattern (else of the database pattern) stood for, {user} and
// {database} are the names.
[[nodiscard]] std::optional<TenantBinding> bind_tenant(const config::Tenant& rules,
                                                       std::string_view user,
                                                       std::string_view database);

// May `user` set helios.tenant_id, in the startup packet or by SQL?
[[nodiscard]] bool may_set_tenant(const config::Tenant& rules, std::string_view user);

}  // namespace helios::session
