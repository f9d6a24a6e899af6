// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which proxy a subcommand asks, and as whom; or which state directory it looks into instead.

#include "base/result.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace helios::cli {

struct AdminOptions {
  std::string url = {};  // this and the next two: empty = see complete()
  std::string token_file = {};
  std::string ca_file = {};
  std::int64_t timeout_ms = 60'000;
  std::string state = {};    // not empty: this state directory, which no proxy has open
  bool salvage = false;      // with `state`: reads what is damaged
  std::string archive = {};  // with `state`: the folder to which records of streams have moved
};

// Adds --url, --token-file, --ca, --timeout-ms, --state, --salvage and --archive. `options` outlives `command`.
void declare_admin(CLI::App& command, AdminOptions& options);

// A variable of the environment; null: not set.
using GetVariable = std::function<const char*(const char* name)>;

// Fills in what the command line left out of a command that asks a proxy. Address: HELIOS_ADMIN_URL, the client file's
// (config/client_file.hpp), http://127.0.0.1:9090. Token and authority: the client file's, and they go to its address
// alone; where HELIOS_ADMIN_TOKEN is set, that is the token. The client file is HELIOS_CLIENT_FILE, which must be there
// then, else heliosproxy/client.toml in XDG_CONFIG_HOME or in .config of HOME, which need not. Errors: of that file.
[[nodiscard]] base::Result<AdminOptions> complete(AdminOptions options,
                                                  const GetVariable& variable);

}  // namespace helios::cli
