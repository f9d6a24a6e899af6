// SPDX-License-Identifier: Apache-2.0

#include "config/auth_section.hpp"

#include <string>
#include <string_view>

namespace helios::config {

void read_auth(TomlSection section, Auth& out) {
  section.text("hba_file", out.hba_file);
  section.text("ident_file", out.ident_file);
  section.text("user_file", out.user_file);
  section.boolean("allow_cleartext_passwords", out.allow_cleartext_passwords);
  // Somebody believes that these count.
  for (const std::string_view key : {"ident_file", "user_file"}) {
    if (out.hba_file.empty() && section.has(key) &&
        !(key == "ident_file" ? out.ident_file : out.user_file).empty())
      section.add_problem(key, "needs hba_file: without it the server authenticates clients");
  }
  section.finish();
}

}  // namespace helios::config
