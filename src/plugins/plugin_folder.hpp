// SPDX-License-Identifier: Apache-2.0
#pragma once

// The plugin folder: which files in it are plugins, and what they contain.

#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace helios::plugins {

// <stem>.wasm or <stem>.wat, perhaps with a manifest <stem>.toml beside it.
struct PluginFile {
  std::string path;
  std::string stem;
  bool is_text = false;  // .wat

  [[nodiscard]] std::string manifest_path() const;
};

struct PluginFolder {
  std::vector<PluginFile> plugins;
  // Manifests without their module: somebody believes that what they say holds. Their own paths, and is_text is false.
  std::vector<PluginFile> lone_manifests;
  std::vector<std::string> others;  // names of files that are neither a plugin nor a manifest
};

// All of the folder but hidden files, sorted by file name. Errors: not_found, unavailable.
[[nodiscard]] base::Result<PluginFolder> list_plugin_folder(const std::string& folder);

struct PluginSource {
  std::string code;
  std::optional<std::string> manifest;
  // SHA-256 in hex: of the module, then of the manifest, where none is the same as an empty one. Equal digests mean that
  // nothing has changed.
  std::string digest;
};

// Errors: limit_exceeded when the code is larger than `max_code_kb`, unavailable.
[[nodiscard]] base::Result<PluginSource> read_plugin(const PluginFile& file,
                                                     std::uint32_t max_code_kb);

}  // namespace helios::plugins
