// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which proxy a subcommand asks, and as whom.

#include <cstdint>
#include <string>

namespace CLI {
class App;
}

namespace helios::cli {

struct AdminOptions {
  std::string url = "http://127.0.0.1:9090";
  std::string token_file;  // empty: the variable HELIOS_ADMIN_TOKEN, if there is one
  std::string ca_file;
  std::int64_t timeout_ms = 60'000;
};

// Adds --url, --token-file, --ca and --timeout-ms. `options` outlives `command`.
void declare_admin(CLI::App& command, AdminOptions& options);

}  // namespace helios::cli
