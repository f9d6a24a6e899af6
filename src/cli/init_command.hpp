// SPDX-License-Identifier: Apache-2.0
#pragma once

// `heliosproxy init`: writes a configuration to begin with.

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace helios::cli {

struct InitOptions {
  bool is_asked_for = false;  // false: the command line asks for something else
  std::string folder = ".";
};

// packaging/heliosproxy.toml as it was when the program was built: what `init` writes.
[[nodiscard]] std::string_view initial_configuration();

// Adds the subcommand to `app`. Parsing fills `options`, which outlives `app`.
void declare_init(CLI::App& app, InitOptions& options);

// Writes heliosproxy.toml into the folder, which is made if it is missing. Returns: the file's path.
// Errors: invalid (the file is there already: it stays as it is), unavailable (it cannot be written).
[[nodiscard]] base::Result<std::string> run_init(const InitOptions& options);

}  // namespace helios::cli
