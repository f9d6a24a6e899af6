// SPDX-License-Identifier: Apache-2.0
#include "cli/init_command.hpp"

#include <CLI/CLI.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace helios::cli {
namespace {

constexpr const char* kFileName = "heliosproxy.toml";

std::unexpected<base::Error> cannot_write(const std::string& path, const std::string& why) {
  return base::fail(base::Errc::unavailable, "init: cannot write " + path + ": " + why);
}

// False: errno says why.
bool write_all(std::FILE* file, std::string_view text) {
  const bool is_written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  return std::fclose(file) == 0 && is_written;
}

}  // namespace

void declare_init(CLI::App& app, InitOptions& options) {
  CLI::App* command =
      app.add_subcommand("init", "Write a configuration to begin with: heliosproxy.toml");
  command->add_option("folder", options.folder, "Where to; without it, the current folder");
  command->callback([&options] { options.is_asked_for = true; });
}

base::Result<std::string> run_init(const InitOptions& options) {
  namespace fs = std::filesystem;
  const auto path = (fs::path(options.folder) / kFileName).lexically_normal().string();
  std::error_code error;
  fs::create_directories(options.folder, error);
  // "x": whatever is there already, a link included, is somebody's.
  std::FILE* file = error ? nullptr : std::fopen(path.c_str(), "wxe");
  if (file == nullptr && !error && errno == EEXIST) {
    return base::fail(base::Errc::invalid,
                      "init: " + path +
                          " is there already and stays as it is: move it away, or name another "
                          "folder");
  }
  if (file == nullptr) return cannot_write(path, error ? error.message() : std::strerror(errno));
  if (!write_all(file, initial_configuration())) {
    const std::string why = std::strerror(errno);
    fs::remove(path, error);  // half of it would stand in the way of the next try
    return cannot_write(path, why);
  }
  return path;
}

}  // namespace helios::cli
