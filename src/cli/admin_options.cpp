// SPDX-License-Identifier: Apache-2.0
#include "cli/admin_options.hpp"

#include <CLI/CLI.hpp>

namespace helios::cli {

void declare_admin(CLI::App& command, AdminOptions& options) {
  constexpr std::int64_t kMaxTimeoutMs = 86'400'000;
  CLI::Option* url = command.add_option("--url", options.url, "Admin interface of the proxy")
                         ->capture_default_str();
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

}  // namespace helios::cli
