// SPDX-License-Identifier: Apache-2.0

#include "app/app.hpp"
#include "app/stderr_log.hpp"
#include "cli/options.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

namespace helios::cli {
namespace {

int report(const std::string& message) {
  std::fprintf(stderr, "heliosproxy: %s\n", message.c_str());
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

}  // namespace
}  // namespace helios::cli

int main(int argc, char** argv) {
  const auto parsed = helios::cli::parse_command_line(argc, argv);
  if (!parsed.options) {
    std::fputs(parsed.text.c_str(), parsed.exit_status == 0 ? stdout : stderr);
    return parsed.exit_status;
  }
  auto config = helios::cli::make_config(*parsed.options);
  if (!config) {
    return helios::cli::report(config.error().message);
  }
  return helios::cli::run(*std::move(config), *parsed.options);
}
