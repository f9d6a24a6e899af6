// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which proxy a subcommand asks, and as whom; or which state directory it looks into instead.

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
  std::string state;     // not empty: this state directory, which no proxy has open
  bool salvage = false;  // with `state`: reads what is damaged
  std::string archive;   // with `state`: the folder to which records of streams have moved
};

// Adds --url, --token-file, --ca, --timeout-ms, --state, --salvage and --archive. `options` outlives `command`.
void declare_admin(CLI::App& command, AdminOptions& options);

}  // namespace helios::cli
