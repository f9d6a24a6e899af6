// SPDX-License-Identifier: Apache-2.0
#include "config/toml_file.hpp"

#include "base/text.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace helios::config {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{1} << 20;

}  // namespace

base::Result<std::string> read_toml_file(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return base::fail(base::Errc::invalid, path + ": is a folder, not a file");
  }
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return base::fail(base::Errc::not_found, path + ": cannot be opened: " + std::strerror(errno));
  }
  std::string text(kMaxFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (file.bad()) {
    return base::fail(base::Errc::unavailable, path + ": cannot be read");
  }
  if (text.size() > kMaxFileBytes) {
    return base::fail(base::Errc::limit_exceeded, path + ": is larger than 1 MiB");
  }
  return text;
}

std::optional<toml::table> parse_toml(std::string_view text, Problems& problems) {
  auto parsed = toml::parse(text);
  if (parsed) return std::move(parsed).table();
  problems.add(parsed.error().source().begin.line, "",
               base::escape_for_log(parsed.error().description()));
  return std::nullopt;
}

}  // namespace helios::config
