// SPDX-License-Identifier: Apache-2.0
#include "cli/admin_options.hpp"

#include <CLI/CLI.hpp>

namespace helios::cli {

void declare_admin(CLI::App& command, AdminOptions& options) {
  constexpr std::int64_t kMaxTimeoutMs = 86'400'000;
  command.add_option("--url", options.url, "Admin interface of the proxy")->capture_default_str();
  command.add_option("--token-file", options.token_file,
                     "File with the admin token (otherwise the variable HELIOS_ADMIN_TOKEN)");
  command.add_option("--ca", options.ca_file, "PEM file that an https:// address is checked by");
  command.add_option("--timeout-ms", options.timeout_ms, "How long one request may take")
      ->check(CLI::Range(std::int64_t{1}, kMaxTimeoutMs));
}

}  // namespace helios::cli
