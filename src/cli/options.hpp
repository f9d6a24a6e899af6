// SPDX-License-Identifier: Apache-2.0
#pragma once

// The command line: what can be said there, and how it overrides the configuration file.

#include "base/result.hpp"
#include "cli/audit_options.hpp"
#include "cli/block_command.hpp"
#include "cli/explain_login.hpp"
#include "cli/init_command.hpp"
#include "cli/kv_options.hpp"
#include "cli/refusals_command.hpp"
#include "config/config.hpp"

#include <optional>
#include <string>
#include <vector>

namespace helios::cli {

// The flags as they were given; empty where they were not.
struct Options {
  std::optional<std::string> config_file;
  std::vector<std::string> listen;
  std::vector<std::string> admin;
  std::optional<std::string> server;
  std::optional<std::string> plugins;
  std::optional<std::string> log_level;
  bool check = false;
  // Where one of these has a verb, that is what to do.
  KvOptions kv;
  AuditOptions audit;
  RefusalsOptions refusals;
  BlockOptions blocks;
  ExplainLoginOptions explain_login;
  InitOptions init;
};

// What main() does: go on with `options`, or print `text` and end with `exit_status`.
struct ParsedCommandLine {
  std::optional<Options> options;
  std::string text;
  int exit_status = 0;
};

[[nodiscard]] ParsedCommandLine parse_command_line(int argc, const char* const* argv);

// The file, or the defaults without one, overridden by the flags. Errors: invalid and what
// config::load_config() gives; the message has a line for each thing that is wrong, which begins with the file
// or the flag. To check nothing (--check without a file) is one.
[[nodiscard]] base::Result<config::Config> make_config(const Options& options);

}  // namespace helios::cli
