// SPDX-License-Identifier: Apache-2.0
#include "plugins/plugin_folder.hpp"

#include "plugins/sha256.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace helios::plugins {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kKib = 1024;
constexpr std::uint64_t kMaxManifestBytes = 64 * kKib;

// Reads at most one byte more than `max_bytes`, so that a file that grows meanwhile stays bounded.
base::Result<std::string> read_file(const std::string& path, std::uint64_t max_bytes) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string bytes;
  if (file) {
    bytes.resize(max_bytes + 1);
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(file.gcount()));
  }
  if (!file && !file.eof())
    return base::fail(base::Errc::unavailable, "cannot read it: " + std::string(strerror(errno)));
  if (bytes.size() > max_bytes)
    return base::fail(base::Errc::limit_exceeded,
                      "larger than " + std::to_string(max_bytes / kKib) + " KiB");
  return bytes;
}

}  // namespace

std::string PluginFile::manifest_path() const {
  return fs::path(path).replace_extension(".toml").string();
}

base::Result<PluginFolder> list_plugin_folder(const std::string& folder) {
  std::error_code error;
  std::error_code ignored;  // of a file: reading it will tell
  PluginFolder found;
  std::vector<PluginFile> manifests;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const fs::path& path = entry->path();
    const std::string extension = path.extension().string();
    std::string name = path.filename().string();
    if (name.starts_with('.')) continue;
    if (entry->is_directory(ignored)) {
      found.others.push_back(std::move(name) + '/');
    } else if (extension == ".wasm" || extension == ".wat") {
      found.plugins.push_back({path.string(), path.stem().string(), extension == ".wat"});
    } else if (extension == ".toml") {
      manifests.push_back({path.string(), path.stem().string()});
    } else {
      found.others.push_back(std::move(name));
    }
  }
  if (error)
    return base::fail(error == std::errc::no_such_file_or_directory ? base::Errc::not_found
                                                                    : base::Errc::unavailable,
                      "cannot read the folder " + folder + ": " + error.message());
  const auto has_module = [&](const PluginFile& manifest) {
    return std::ranges::find(found.plugins, manifest.stem, &PluginFile::stem) !=
           found.plugins.end();
  };
  std::ranges::remove_copy_if(manifests, std::back_inserter(found.lone_manifests), has_module);
  std::ranges::sort(found.plugins, {}, &PluginFile::path);
  std::ranges::sort(found.lone_manifests, {}, &PluginFile::path);
  std::ranges::sort(found.others);
  return found;
}

base::Result<PluginSource> read_plugin(const PluginFile& file, std::uint32_t max_code_kb) {
  auto code = read_file(file.path, max_code_kb * kKib);
  if (!code) return std::unexpected(code.error());
  PluginSource source{.code = std::move(*code), .manifest = {}, .digest = {}};
  std::error_code ignored;
  if (fs::exists(file.manifest_path(), ignored)) {
    auto manifest = read_file(file.manifest_path(), kMaxManifestBytes);
    if (!manifest)
      return base::fail(manifest.error().code,
                        file.manifest_path() + ": " + manifest.error().message);
    source.manifest = std::move(*manifest);
  }
  source.digest = sha256_hex(source.code) + sha256_hex(source.manifest.value_or(""));
  return source;
}

}  // namespace helios::plugins
