// SPDX-License-Identifier: Apache-2.0

#include "config/tenant_section.hpp"

#include "config/identity_section.hpp"

namespace helios::config {

void read_policy(TomlSection& section, std::string_view key, std::string_view allow, Policy& out) {
  section.choice(key, out, {{"deny", Policy::deny}, {allow, Policy::allow}});
}

void read_tenant(TomlSection section, Tenant& out, Identity& identity) {
  read_policy(section, "unknown", "allow", out.unknown);
  section.boolean("required", out.required);
  section.texts("setters", out.setters);
  for (const auto& pattern : out.setters) check_pattern(section, "setters", pattern);
  read_tenant_rules(section, identity);
  section.finish();
}

}  // namespace helios::config
