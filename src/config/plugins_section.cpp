// SPDX-License-Identifier: Apache-2.0

#include "config/plugins_section.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace helios::config {
namespace {

void read_plugin_limits(TomlSection section, PluginLimits& out) {
  section.integer("memory_mb", out.memory_mb, 1U, 256U);
  section.integer("table_elements", out.table_elements, 0U, 1'000'000U);
  section.integer("module_kb", out.module_kb, 1U, 262'144U);
  section.integer("compile_timeout_ms", out.compile_timeout_ms, 1U, 3'600'000U);
  section.integer("timeout_ms", out.timeout_ms, 1U, 60'000U);
  section.integer("output_kb", out.output_kb, 1U, 65'536U);
  section.integer("backoff_after_faults", out.backoff_after_faults, 0U, 1'000'000U);
  section.integer("backoff_ms", out.backoff_ms, 1U, 3'600'000U);
  section.integer("backoff_max_ms", out.backoff_max_ms, 1U, 3'600'000U);
  section.finish();
}

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

void read_digest(TomlSection& section, const char* key, const std::string& of, std::string& out) {
  constexpr std::size_t kSha256Digits = 64;
  section.text(key, out);
  out = base::to_lower(out);
  const bool is_digest = out.size() == kSha256Digits && is_hex(out);
  if (section.has(key) && !is_digest) {
    section.add_problem(key, "must be 64 hex digits: sha256sum " + of);
  }
}

void read_required_plugin(TomlSection& section, Plugins& out) {
  RequiredPlugin plugin{
      .name = {}, .sha256 = {}, .manifest_sha256 = {}, .origin = section.own_place()};
  section.text("name", plugin.name);
  if (!section.has("name")) section.add_own_problem("needs a name");
  read_digest(section, "sha256", "FILE.wasm", plugin.sha256);
  read_digest(section, "manifest_sha256", "FILE.toml, or of /dev/null where there is none",
              plugin.manifest_sha256);
  section.finish();
  if (section.has("name")) out.required.push_back(std::move(plugin));
}

void read_required(TomlSection& section, Plugins& out) {
  section.texts_or_tables(
      "required",
      [&](const std::string& name) {
        out.required.push_back({.name = name,
                                .sha256 = {},
                                .manifest_sha256 = {},
                                .origin = section.place("required")});
      },
      [&](TomlSection& table) { read_required_plugin(table, out); });
  for (const RequiredPlugin& plugin : out.required) {
    if (plugin.name.empty()) {
      section.add_problem("required", "a name must not be empty");
      continue;
    }
    const std::string name = "\"" + base::escape_for_log(plugin.name) + "\" ";
    if (std::ranges::count(out.required, plugin.name, &RequiredPlugin::name) > 1) {
      section.add_problem("required", name + "is there twice");
    }
    if (std::ranges::find(out.optional, plugin.name) != out.optional.end()) {
      section.add_problem("required",
                          name + "is in plugins.optional as well: it is one or the other");
    }
  }
}

}  // namespace

void read_plugins(TomlSection section, Plugins& out) {
  section.text("directory", out.directory);
  if (section.has("directory")) {
    out.origin = section.place("directory");
  }
  section.texts("optional", out.optional);
  if (section.has("optional")) out.optional_origin = section.place("optional");
  read_required(section, out);
  section.integer("slow_lane_threads", out.slow_lane_threads, 1U, 64U);
  section.integer("pool_instances", out.pool_instances, 8U, 4096U);
  section.integer("memory_reservation_mb", out.memory_reservation_mb, 0U, 4096U);
  read_plugin_limits(section.section("limits"), out.limits);
  section.finish();
}

}  // namespace helios::config
