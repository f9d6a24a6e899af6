// SPDX-License-Identifier: Apache-2.0
#include "plugins/manifest.hpp"

#include "base/text.hpp"
#include "config/toml_section.hpp"
#include "plugins/abi/host_imports.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace helios::plugins {

namespace {

using config::Problems;
using config::TomlSection;

constexpr std::array<std::string_view, 6> kCalledHooks{"authenticate", "pre_query",   "post_query",
                                                       "settled",      "check_write", "event"};

// What manifests of HeliosProxy have beside our keys. None of it was ever enforced there either.
constexpr std::array<std::string_view, 7> kLeftAside{
    "description", "author", "license", "permissions", "min_memory", "max_memory", "priority"};

void read_hooks(TomlSection& root, Manifest& out) {
  if (!root.has("hooks")) return;
  root.texts("hooks", out.hooks.emplace());
  if (root.has_empty_array("hooks")) root.add_problem("hooks", "must name at least one hook");
  for (const std::string& hook : *out.hooks)
    if (std::ranges::find(kCalledHooks, hook) == kCalledHooks.end())
      root.add_problem("hooks", "\"" + base::escape_for_log(hook) +
                                    "\" is not a hook that this version calls; it calls "
                                    "authenticate, pre_query, post_query, settled, "
                                    "check_write and event");
}

void read_imports(TomlSection& root, Manifest& out) {
  if (!root.has("imports")) return;
  root.texts("imports", out.imports.emplace());
  for (const std::string& name : *out.imports)
    if (find_host_import("env", name) == nullptr)
      root.add_problem("imports",
                       "the proxy does not offer \"" + base::escape_for_log(name) + "\"");
}

void read_limits(TomlSection section, config::PluginLimits& out) {
  section.integer("memory_mb", out.memory_mb, 1U, out.memory_mb);
  section.integer("table_elements", out.table_elements, 0U, out.table_elements);
  section.integer("timeout_ms", out.timeout_ms, 1U, out.timeout_ms);
  section.integer("output_kb", out.output_kb, 1U, out.output_kb);
  section.finish();
}

void read_manifest(TomlSection root, Manifest& out) {
  root.text("name", out.name);
  root.text("version", out.version);
  read_hooks(root, out);
  root.texts("optional_hooks", out.optional_hooks);
  read_imports(root, out);
  root.integer("order", out.order, std::numeric_limits<std::int32_t>::min(),
               std::numeric_limits<std::int32_t>::max());
  root.boolean("first", out.is_first);
  root.choice("on_error", out.on_error,
              {{"deny", hooks::OnError::deny}, {"allow", hooks::OnError::allow}});
  root.choice("statements", out.all_statements, {{"queries", false}, {"all", true}});
  root.choice("instance", out.reuses_instances, {{"fresh", false}, {"reuse", true}});
  root.boolean("normalized", out.sends_normalized);
  root.boolean("append_only", out.is_append_only);
  if (root.has("durability"))
    root.choice("durability", out.durability.emplace(),
                {{"memory", kv::Durability::memory},
                 {"relaxed", kv::Durability::relaxed},
                 {"strict", kv::Durability::strict}});
  read_limits(root.section("limits"), out.limits);
  root.section("config").all_texts(out.config);
  for (const std::string_view key : kLeftAside)
    if (root.leave_aside(key)) out.left_aside.push_back(key);
  root.finish();
}

}  // namespace

Manifest default_manifest(std::string_view name, const config::PluginLimits& caps) {
  Manifest manifest;
  manifest.name = name;
  manifest.limits = caps;
  return manifest;
}

base::Result<Manifest> parse_manifest(std::string_view text, std::string_view file_name,
                                      std::string_view name, const config::PluginLimits& caps) {
  Problems problems(file_name);
  const toml::parse_result parsed = toml::parse(text, file_name);
  if (!parsed) {
    problems.add(parsed.error().source().begin.line, "",
                 base::escape_for_log(parsed.error().description()));
    return base::fail(base::Errc::invalid, problems.message());
  }
  Manifest manifest = default_manifest(name, caps);
  read_manifest(TomlSection("", &parsed.table(), problems), manifest);
  if (problems.any()) return base::fail(base::Errc::invalid, problems.message());
  return manifest;
}

}  // namespace helios::plugins
