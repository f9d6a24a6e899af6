// SPDX-License-Identifier: Apache-2.0

#include "admin/http/client.hpp"
#include "app/app.hpp"
#include "app/offline_state.hpp"
#include "app/stderr_log.hpp"
#include "app/store_settings.hpp"
#include "app/system_clock.hpp"
#include "base/text.hpp"
#include "cli/kv_command.hpp"
#include "cli/options.hpp"
#include "config/secret_file.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <utility>

namespace helios::cli {
namespace {

constexpr std::size_t kMaxTokenBytes = 4096;

// Each line of it.
int report(const std::string& message) {
  for (const auto& line : base::split_lines(message)) {
    std::fprintf(stderr, "heliosproxy: %s\n", line.c_str());
  }
  return EXIT_FAILURE;
}

int run(config::Config config, const Options& options) {
  app::StderrLog log(config.log.level);
  app::Reconfiguration reconfiguration;
  reconfiguration.read = [&options] { return make_config(options); };
  reconfiguration.set_log_level = [&log](config::LogLevel level) { log.set_level(level); };
  app::App app(std::move(config), log, std::move(reconfiguration));
  if (options.check) {
    if (const auto checked = app.check(); !checked) {
      return report(checked.error().message);
    }
    std::puts("configuration and plugins are fine");
    return EXIT_SUCCESS;
  }
  if (const auto started = app.start(); !started) {
    return report(started.error().message);
  }
  app.run();
  return EXIT_SUCCESS;
}

base::Result<admin::http::Endpoint> endpoint_of(const AdminOptions& options) {
  auto endpoint = admin::http::parse_endpoint(options.url);
  if (!endpoint) return endpoint;
  endpoint->ca_file = options.ca_file;
  if (!options.token_file.empty()) {
    const auto token = config::read_secret_file(options.token_file, kMaxTokenBytes);
    if (!token) return std::unexpected(token.error());
    endpoint->token = token->substr(0, token->find_last_not_of(" \t\r\n") + 1);
  } else if (const char* token = std::getenv("HELIOS_ADMIN_TOKEN"); token != nullptr) {
    endpoint->token = token;
  }
  return endpoint;
}

template <typename Command>
base::Result<void> ask_proxy(const AdminOptions& options, const Command& command) {
  const auto endpoint = endpoint_of(options);
  if (!endpoint) return std::unexpected(endpoint.error());
  return command([&](const admin::Request& request) {
    return admin::http::send(*endpoint, request, options.timeout_ms);
  });
}

// Quotas are those of the configuration file, where one is given.
template <typename Command>
base::Result<void> ask_state(const Options& options, const AdminOptions& admin, bool only_reads,
                             const Command& command) {
  if (admin.salvage && !only_reads)
    return base::fail(base::Errc::invalid, "--salvage is for commands that only read");
  const auto config = make_config(options);
  if (!config) return std::unexpected(config.error());
  const auto state = app::OfflineState::open({.directory = admin.state,
                                              .read_only = only_reads,
                                              .salvage = admin.salvage,
                                              .archive = admin.archive,
                                              .limits = app::to_limits(*config)});
  if (!state) return std::unexpected(state.error());
  const base::Result<void> result =
      command([&](const admin::Request& request) -> base::Result<admin::Response> {
        return (*state)->answer(request);
      });
  const base::Result<void> closed = (*state)->close();
  return result ? closed : result;
}

// Runs `command(ask)` against the admin interface, or the state directory, that `admin` names.
template <typename Command>
int run_command(const Options& options, const AdminOptions& admin, bool only_reads,
                const Command& command) {
  const base::Result<void> result = admin.state.empty()
                                        ? ask_proxy(admin, command)
                                        : ask_state(options, admin, only_reads, command);
  std::cout.flush();
  if (!result) return report(result.error().message);
  return std::cout ? EXIT_SUCCESS : report("cannot write the output");
}

int run_kv_command(const Options& options) {
  const KvOptions& kv = options.kv;
  return run_command(options, kv.admin, only_reads(kv.verb), [&kv](const AskAdmin& ask) {
    return run_kv(kv, ask, {std::cin, std::cout, app::pause_ms}, app::SystemClock().wall_ms());
  });
}

// A proxy is asked again once a second.
bool wait_a_second() {
  std::this_thread::sleep_for(std::chrono::seconds(1));
  return true;
}

int run_refusals_command(const Options& options) {
  if (!options.refusals.admin.state.empty())
    return report("refusals: they are kept by a running proxy, not in its state directory");
  return run_command(options, options.refusals.admin, true, [&options](const AskAdmin& ask) {
    return run_refusals(options.refusals, ask, std::cout, wait_a_second,
                        app::SystemClock().wall_ms());
  });
}

int run_audit_command(const Options& options) {
  return run_command(options, options.audit.admin, true, [&options](const AskAdmin& ask) {
    return run_audit(options.audit, ask, std::cin, std::cout);
  });
}

}  // namespace
}  // namespace helios::cli

int main(int argc, char** argv) {
  const auto parsed = helios::cli::parse_command_line(argc, argv);
  if (!parsed.options) {
    std::fputs(parsed.text.c_str(), parsed.exit_status == 0 ? stdout : stderr);
    return parsed.exit_status;
  }
  if (parsed.options->kv.verb != helios::cli::KvVerb::none) {
    return helios::cli::run_kv_command(*parsed.options);
  }
  if (parsed.options->refusals.is_asked_for) {
    return helios::cli::run_refusals_command(*parsed.options);
  }
  if (parsed.options->audit.verb != helios::cli::AuditVerb::none) {
    return helios::cli::run_audit_command(*parsed.options);
  }
  auto config = helios::cli::make_config(*parsed.options);
  if (!config) {
    return helios::cli::report(config.error().message);
  }
  return helios::cli::run(*std::move(config), *parsed.options);
}
