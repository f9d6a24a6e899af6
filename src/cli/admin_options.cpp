// SPDX-License-Identifier: Apache-2.0
#include "cli/admin_options.hpp"

#include "config/client_file.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

namespace helios::cli {
namespace {

constexpr const char* kDefaultUrl = "http://127.0.0.1:9090";

std::string_view value_of(const GetVariable& variable, const char* name) {
  const char* value = variable(name);
  return value == nullptr ? std::string_view() : value;
}

// Where the client file is when nobody says so; empty: nowhere.
std::filesystem::path usual_client_file(const GetVariable& variable) {
  const std::string_view folder = value_of(variable, "XDG_CONFIG_HOME");
  const std::string_view home = value_of(variable, "HOME");
  if (folder.empty() && home.empty()) return {};
  const std::filesystem::path base =
      folder.empty() ? std::filesystem::path(home) / ".config" : std::filesystem::path(folder);
  return base / "heliosproxy" / "client.toml";
}

base::Result<std::optional<config::ClientFile>> client_file(const GetVariable& variable) {
  const std::string_view named = value_of(variable, "HELIOS_CLIENT_FILE");
  std::filesystem::path path = named;
  if (named.empty()) {
    path = usual_client_file(variable);
    std::error_code error;
    if (path.empty() || !std::filesystem::exists(path, error)) return std::nullopt;
  }
  auto file = config::load_client_file(path.string());
  if (!file) return std::unexpected(file.error());
  return *std::move(file);
}

}  // namespace

void declare_admin(CLI::App& command, AdminOptions& options) {
  constexpr std::int64_t kMaxTimeoutMs = 86'400'000;
  CLI::Option* url = command.add_option(
      "--url", options.url,
      std::string("Admin interface of the proxy (otherwise HELIOS_ADMIN_URL, the client file's, ") +
          kDefaultUrl + ")");
  CLI::Option* token =
      command.add_option("--token-file", options.token_file,
                         "File with the admin token (otherwise the variable HELIOS_ADMIN_TOKEN)");
  CLI::Option* ca = command.add_option("--ca", options.ca_file,
                                       "PEM file that an https:// address is checked by");
  command.add_option("--timeout-ms", options.timeout_ms, "How long one request may take")
      ->check(CLI::Range(std::int64_t{1}, kMaxTimeoutMs));
  CLI::Option* state =
      command
          .add_option("--state", options.state,
                      "State directory to look into, instead of a proxy; none may run on it")
          ->check([](const std::string& path) { return path.empty() ? "names no directory" : ""; })
          ->excludes(url)
          ->excludes(token)
          ->excludes(ca);
  command
      .add_flag("--salvage", options.salvage,
                "Read a damaged state directory up to the damage, and leave it as it is")
      ->needs(state);
  command
      .add_option("--archive", options.archive,
                  "With --state: the folder to which the oldest records of streams have moved")
      ->needs(state);
}

base::Result<AdminOptions> complete(AdminOptions options, const GetVariable& variable) {
  const auto file = client_file(variable);
  if (!file) return std::unexpected(file.error());
  if (options.url.empty()) options.url = value_of(variable, "HELIOS_ADMIN_URL");
  if (options.url.empty()) options.url = *file ? (*file)->url : kDefaultUrl;
  if (!*file || options.url != (*file)->url) return options;
  if (options.token_file.empty() && value_of(variable, "HELIOS_ADMIN_TOKEN").empty())
    options.token_file = (*file)->token_file;
  if (options.ca_file.empty()) options.ca_file = (*file)->ca;
  return options;
}

}  // namespace helios::cli
