// SPDX-License-Identifier: Apache-2.0

#include "app/app.hpp"
#include "app/service_environment.hpp"
#include "app/stderr_log.hpp"
#include "app/system_clock.hpp"
#include "base/text.hpp"
#include "cli/audit_command.hpp"
#include "cli/kv_command.hpp"
#include "cli/options.hpp"
#include "cli/state_access.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <utility>

#include <unistd.h>

namespace helios::cli {
namespace {

// Each line of it.
int report(const std::string& message) {
  for (const auto& line : base::split_lines(message)) {
    std::fprintf(stderr, "heliosproxy: %s\n", line.c_str());
  }
  return EXIT_FAILURE;
}

int run(config::Config config, const Options& options) {
  auto service = app::read_service_environment(::getenv, ::getpid());
  if (!service) return report(service.error().message);
  app::StderrLog log(config.log.level);
  app::Reconfiguration reconfiguration;
  reconfiguration.read = [&options] { return make_config(options); };
  reconfiguration.set_log_level = [&log](config::LogLevel level) { log.set_level(level); };
  // Who only checks is no service: it leaves sockets and the service manager alone.
  app::App app(std::move(config), log, std::move(reconfiguration),
               options.check ? app::ServiceEnvironment{} : *std::move(service));
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

// Runs `command` on the state that `admin` names.
int run_command(const Options& options, const AdminOptions& admin, bool only_reads,
                const WithState& command) {
  const base::Result<void> result = with_state(options, admin, only_reads, command);
  std::cout.flush();
  if (!result) return report(result.error().message);
  return std::cout ? EXIT_SUCCESS : report("cannot write the output");
}

int run_kv_command(const Options& options) {
  const KvOptions& kv = options.kv;
  return run_command(options, kv.admin, only_reads(kv.verb), [&kv](const StateAccess& state) {
    return run_kv(kv, state.ask, {std::cin, std::cout, app::pause_ms},
                  app::SystemClock().wall_ms());
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
  return run_command(options, options.refusals.admin, true, [&options](const StateAccess& state) {
    return run_refusals(options.refusals, state.ask, std::cout, wait_a_second,
                        app::SystemClock().wall_ms());
  });
}

int run_block_command(const Options& options) {
  if (!options.blocks.admin.state.empty())
    return report("blocks: a running proxy is asked, not its state directory");
  return run_command(options, options.blocks.admin, options.blocks.verb == BlockVerb::list,
                     [&options](const StateAccess& state) {
                       return run_blocks(options.blocks, state.ask, std::cout);
                     });
}

int run_audit_command(const Options& options) {
  return run_command(options, options.audit.admin, true, [&options](const StateAccess& state) {
    return run_audit(options.audit, {.state = state,
                                     .console = {std::cin, std::cout, app::pause_ms},
                                     .notes = std::cerr,
                                     .now_ms = app::SystemClock().wall_ms()});
  });
}

int run_init_command(const InitOptions& options) {
  const auto written = run_init(options);
  if (!written) return report(written.error().message);
  std::printf("wrote %s\ncheck it: heliosproxy --check --config %s\n", written->c_str(),
              written->c_str());
  return EXIT_SUCCESS;
}

int run_explain_login(const config::Config& config, const ExplainLoginOptions& options) {
  const auto explained = app::explain_login(config, options.question);
  if (!explained) return report(explained.error().message);
  std::fputs(explained->text.c_str(), stdout);
  return explained->may_get_in ? EXIT_SUCCESS : EXIT_FAILURE;
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
  if (parsed.options->blocks.verb != helios::cli::BlockVerb::none) {
    return helios::cli::run_block_command(*parsed.options);
  }
  if (parsed.options->audit.verb != helios::cli::AuditVerb::none) {
    return helios::cli::run_audit_command(*parsed.options);
  }
  if (parsed.options->init.is_asked_for) {
    return helios::cli::run_init_command(parsed.options->init);
  }
  auto config = helios::cli::make_config(*parsed.options);
  if (!config) {
    return helios::cli::report(config.error().message);
  }
  if (parsed.options->explain_login.is_asked_for) {
    return helios::cli::run_explain_login(*config, parsed.options->explain_login);
  }
  return helios::cli::run(*std::move(config), *parsed.options);
}
