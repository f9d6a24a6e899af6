// SPDX-License-Identifier: Apache-2.0

#include "cli/options.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>
#include <sstream>
#include <utility>

namespace helios::cli {
namespace {

void declare_flags(CLI::App& app, Options& options) {
  app.add_option("-c,--config", options.config_file, "Configuration file (TOML)");
  app.add_option("--listen", options.listen,
                 "Address for clients, such as 127.0.0.1:6432; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--admin", options.admin, "Address for the admin interface; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--server", options.server,
                 "PostgreSQL server: HOST:PORT, or FOLDER:PORT for a Unix socket");
  app.add_option("--plugins", options.plugins, "Folder with plugins");
  app.add_option("--log-level", options.log_level, "debug, info, warning or error");
  app.add_flag("--check", options.check, "Check the configuration file and the plugins, then end");
  app.set_version_flag("-V,--version", "heliosproxy " HELIOS_VERSION);
}

base::Result<std::vector<config::Address>> parse_addresses(const std::string& flag,
                                                           const std::vector<std::string>& texts) {
  std::vector<config::Address> addresses;
  std::string problems;
  for (const auto& text : texts) {
    auto address = config::parse_address(text);
    if (address) {
      addresses.push_back(*std::move(address));
    } else {
      problems +=
          (problems.empty() ? "" : "\n") + flag + " " + text + ": " + address.error().message;
    }
  }
  if (!problems.empty()) return base::fail(base::Errc::invalid, std::move(problems));
  return addresses;
}

base::Result<void> override_listen(const Options& options, config::Listen& out) {
  auto addresses = parse_addresses("--listen", options.listen);
  if (!addresses) {
    return base::fail(addresses.error().code, addresses.error().message);
  }
  if (!addresses->empty()) {
    out.addresses = *std::move(addresses);
    out.is_default = false;
    out.origin = "--listen";
  }
  return {};
}

// Who may ask is in the file: without it, what the addresses need is not known.
base::Result<void> override_admin(const Options& options, bool has_file, config::Admin& out) {
  auto addresses = parse_addresses("--admin", options.admin);
  if (!addresses) {
    return base::fail(addresses.error().code, addresses.error().message);
  }
  if (addresses->empty()) {
    return {};
  }
  out.addresses = *std::move(addresses);
  out.is_default = false;
  out.origin = "--admin";
  if (!has_file) {
    return {};
  }
  if (const auto checked = config::check_admin(out); !checked) {
    return base::fail(checked.error().code, out.origin + ": " + checked.error().message);
  }
  return {};
}

base::Result<void> override_server(const Options& options, config::Server& out) {
  if (!options.server) {
    return {};
  }
  const auto server = config::parse_server(*options.server);
  if (!server) {
    return base::fail(base::Errc::invalid,
                      "--server " + *options.server + ": " + server.error().message);
  }
  out.host = server->host;
  out.port = server->port;
  return {};
}

base::Result<void> override_plugins(const Options& options, config::Plugins& out) {
  if (!options.plugins) {
    return {};
  }
  std::error_code error;
  const auto folder = std::filesystem::absolute(*options.plugins, error);
  if (error || options.plugins->empty()) {
    return base::fail(base::Errc::invalid, "--plugins: must be a folder");
  }
  out.directory = folder.lexically_normal().string();
  out.origin = "--plugins";
  return {};
}

base::Result<void> override_log_level(const Options& options, config::Logging& out) {
  if (!options.log_level) {
    return {};
  }
  const auto level = config::parse_log_level(*options.log_level);
  if (!level) {
    return base::fail(level.error().code,
                      "--log-level " + *options.log_level + ": " + level.error().message);
  }
  out.level = *level;
  return {};
}

}  // namespace

ParsedCommandLine parse_command_line(int argc, const char* const* argv) {
  Options options;
  CLI::App app("A programmable PostgreSQL proxy: plugins with state, on every statement.",
               "heliosproxy");
  declare_flags(app, options);
  declare_kv(app, options.kv);
  declare_audit(app, options.audit);
  declare_refusals(app, options.refusals);
  declare_explain_login(app, options.explain_login);
  declare_blocks(app, options.blocks);
  declare_init(app, options.init);
  // The library reports everything but success, --help and --version included, by exception.
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    std::ostringstream out;
    std::ostringstream error;
    const int status = app.exit(problem, out, error);
    if (status == 0) {
      return {std::nullopt, out.str(), 0};
    }
    return {std::nullopt, "heliosproxy: " + std::string(problem.what()) + " (try --help)\n", 2};
  }
  return {std::move(options), "", 0};
}

base::Result<config::Config> make_config(const Options& options) {
  if (options.check && !options.config_file) {
    return base::fail(base::Errc::invalid,
                      "--check: no configuration file is named, so none was checked: add --config "
                      "FILE (/dev/null for flags and plugins alone)");
  }
  auto read = options.config_file ? config::load_config(*options.config_file)
                                  : base::Result<config::Config>(config::default_config());
  std::vector<base::Error> errors;
  if (!read) errors.push_back(read.error());
  config::Config config = read ? *std::move(read) : config::default_config();
  for (const auto& overridden :
       {override_listen(options, config.listen),
        override_admin(options, read.has_value(), config.admin),
        override_server(options, config.server), override_plugins(options, config.plugins),
        override_log_level(options, config.log)}) {
    if (!overridden) errors.push_back(overridden.error());
  }
  if (errors.empty()) return config;
  std::string lines;
  for (const auto& error : errors) lines += (lines.empty() ? "" : "\n") + error.message;
  return base::fail(errors.front().code, std::move(lines));
}

}  // namespace helios::cli
