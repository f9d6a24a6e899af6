// SPDX-License-Identifier: Apache-2.0
#include "config/client_file.hpp"

#include "config/toml_file.hpp"

#include <filesystem>

namespace helios::config {

base::Result<ClientFile> parse_client_file(std::string_view text, std::string_view file_name) {
  Problems problems(file_name);
  ClientFile file;
  if (const auto table = parse_toml(text, problems)) {
    TomlSection root("", &*table, problems);
    root.text("url", file.url);
    root.text("token_file", file.token_file);
    root.text("ca", file.ca);
    // A token and an authority belong to one address: without it nobody could say where they may go.
    if (file.url.empty() && !problems.any())
      problems.add(1, "url", "must say the address of the admin interface");
    root.finish();
  }
  if (problems.any()) return base::fail(base::Errc::invalid, problems.message());
  return file;
}

base::Result<ClientFile> load_client_file(const std::string& path) {
  const auto text = read_toml_file(path);
  if (!text) return std::unexpected(text.error());
  auto file = parse_client_file(*text, path);
  if (!file) return file;
  const auto folder = std::filesystem::path(path).parent_path();
  for (std::string* each : {&file->token_file, &file->ca}) {
    if (!each->empty()) *each = (folder / *each).string();
  }
  return file;
}

}  // namespace helios::config
