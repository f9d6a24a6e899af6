// SPDX-License-Identifier: Apache-2.0
//
// Plugin manifests. What is refused is refused in one line that names the place; what is accepted is
// no more than the caps allow.
// Input: a manifest file.

#include "fuzz/support/error_line.hpp"
#include "fuzz/support/fuzz.hpp"
#include "plugins/abi/host_imports.hpp"
#include "plugins/manifest.hpp"

#include <algorithm>

namespace helios::fuzz {
namespace {

constexpr std::string_view kFile = "plugin.toml";

void check_manifest(const plugins::Manifest& manifest, const config::PluginLimits& caps) {
  require(manifest.limits.memory_mb >= 1 && manifest.limits.memory_mb <= caps.memory_mb,
          "memory_mb within its cap");
  require(manifest.limits.table_elements <= caps.table_elements, "table_elements within its cap");
  require(manifest.limits.timeout_ms >= 1 && manifest.limits.timeout_ms <= caps.timeout_ms,
          "timeout_ms within its cap");
  require(manifest.limits.output_kb <= caps.output_kb, "output_kb within its cap");
  require(manifest.limits.module_kb == caps.module_kb, "module_kb as configured");
  require(!manifest.hooks || !manifest.hooks->empty(), "at least one hook");
  for (const std::string& name : manifest.imports.value_or(std::vector<std::string>())) {
    require(plugins::find_host_import("env", name) != nullptr, "an import that exists");
  }
}

}  // namespace
}  // namespace helios::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace helios;
  using namespace helios::fuzz;
  const std::string_view text = text_of(data, size);
  const config::PluginLimits caps;
  const auto manifest = plugins::parse_manifest(text, kFile, "plugin", caps);
  if (manifest) {
    check_manifest(*manifest, caps);
  } else {
    require_error_lines(manifest.error().message, kFile, text);
  }
  return 0;
}
