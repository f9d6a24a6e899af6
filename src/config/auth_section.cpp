// SPDX-License-Identifier: Apache-2.0

#include "config/auth_section.hpp"

#include <string>
#include <utility>

namespace helios::config {

void read_auth(TomlSection section, Auth& out) {
  section.text("hba_file", out.hba_file);
  section.text("ident_file", out.ident_file);
  section.text("user_file", out.user_file);
  section.text("mock_key_file", out.mock_key_file.path);
  if (section.has("mock_key_file")) out.mock_key_file.origin = section.place("mock_key_file");
  section.boolean("allow_cleartext_passwords", out.allow_cleartext_passwords);
  // Somebody believes that these count.
  if (out.hba_file.empty()) {
    for (const auto& [key, path] :
         {std::pair("ident_file", &out.ident_file), std::pair("user_file", &out.user_file),
          std::pair("mock_key_file", &out.mock_key_file.path)}) {
      if (!path->empty())
        section.add_problem(key, "needs hba_file: without it the server authenticates clients");
    }
  }
  section.finish();
}

}  // namespace helios::config
