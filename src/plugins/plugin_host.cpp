// SPDX-License-Identifier: Apache-2.0
#include "plugins/plugin_host.hpp"

#include "base/text.hpp"
#include "kv/namespace_name.hpp"
#include "plugins/abi/host_imports.hpp"
#include "plugins/module_limits.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

namespace helios::plugins {

namespace {

constexpr std::uint64_t kMib = 1 << 20;

std::string line_about(const std::string& file, const std::string& reason) {
  return "plugin " + file + ": " + reason;
}

std::vector<std::string> hooks_of(const ModuleShape& shape) {
  std::vector<std::string> names;
  if (shape.has_authenticate) names.emplace_back("authenticate");
  if (shape.has_pre_query) names.emplace_back("pre_query");
  if (shape.has_post_query) names.emplace_back("post_query");
  if (shape.has_settled) names.emplace_back("settled");
  return names;
}

// Some of them, for a line of the log.
std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 10;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i)
    text += (i == 0 ? "" : ", ") + base::escape_for_log(names[i], 80);
  if (names.size() > kShown) text += " and " + std::to_string(names.size() - kShown) + " more";
  return text;
}

void describe_plugin(const WasmPlugin& plugin, PluginInfo& info) {
  const PluginVersion& version = plugin.version();
  info.space = version.space().name();
  info.durability = kv::to_word(version.durability());
  info.version = version.manifest().version;
  info.hooks = hooks_of(version.shape());
  info.order = version.manifest().order;
  info.on_error = version.manifest().on_error;
  info.warnings = version.shape().warnings;
  const PluginCounters& counters = version.counters();
  info.last_error = counters.last_failure();
  info.calls = counters.read(PluginEvent::call);
  info.failures = counters.read(PluginEvent::failure);
  info.refusals = counters.read(PluginEvent::refusal);
  info.retries = counters.read(PluginEvent::retry);
  info.overruns = counters.read(PluginEvent::overrun);
  info.exclusive = counters.read(PluginEvent::exclusive);
  info.refused_writes = counters.read(PluginEvent::refused_write);
  info.retried_calls = counters.retried_calls();
  info.metrics = counters.metrics().read();
  info.abi = version.shape().says_version ? 2 : 1;
  info.backed_off = counters.read(PluginEvent::backed_off);
  info.is_slow = plugin.supply().is_slow();
  const FaultBackoff::Status backoff = plugin.supply().backoff_status();
  info.backing_off_callers = backoff.callers;
  info.backing_off_left_ms = backoff.longest_left_ms;
}

}  // namespace

std::string_view to_text(PluginInfo::State state) {
  switch (state) {
    case PluginInfo::State::loaded: return "loaded";
    case PluginInfo::State::outdated: return "outdated";
    case PluginInfo::State::failed: return "failed";
  }
  return "";
}

PluginHost::PluginHost(config::Plugins config, kv::Store& store, exec::SlowLane& lane,
                       const base::Clock& clock, base::Log& log, std::uint32_t inline_ticks,
                       base::FaultSink* faults)
    : log_(log),
      slots_(config.pool_instances),
      services_{store, lane, clock, log, slots_, faults, inline_ticks},
      config_(std::move(config)) {}

PluginHost::~PluginHost() {
  for (const Entry& entry : table_)
    if (entry.plugin != nullptr) entry.plugin->retire();  // what they keep refers to slots_
}

base::Result<std::shared_ptr<const hooks::Chain>> PluginHost::load() {
  const std::lock_guard lock(load_mutex_);
  auto table = read_folder();
  if (!table) return std::unexpected(table.error());
  for (const Entry& entry : *table) {
    if (entry.error.empty()) continue;
    const std::string line = line_about(entry.file.path, entry.error);
    if (!is_optional(entry)) return base::fail(base::Errc::invalid, line);
    log_.write(base::LogLevel::warning, line + " (optional, so left out)");
  }
  return install(std::move(*table));
}

ReloadResult PluginHost::reload(const config::Plugins& config) {
  const std::lock_guard lock(load_mutex_);
  // The engine is made for the limits; plugins of the old one keep it alive as long as they run.
  if (config.limits != config_.limits) engine_.reset();
  config_ = config;
  ReloadResult result;
  auto table = read_folder();
  if (table) {
    for (const Entry& entry : *table)
      if (!entry.error.empty()) result.errors.push_back(line_about(entry.file.path, entry.error));
  } else {
    result.errors.push_back(table.error().message);
    table = table_;
  }
  for (const std::string& error : result.errors)
    log_.write(base::LogLevel::error, "reload: " + error);
  result.chain = install(std::move(*table));
  return result;
}

// The folder as it is now, loaded as far as possible. What fails keeps its plugin of table_.
base::Result<PluginHost::Table> PluginHost::read_folder() {
  if (config_.directory.empty()) return Table();
  const auto folder = list_plugin_folder(config_.directory);
  if (!folder)
    return base::fail(folder.error().code, (config_.origin.empty() ? "" : config_.origin + ": ") +
                                               folder.error().message);
  log_left_aside(*folder);
  if (!folder->plugins.empty())
    if (auto made = make_engine(); !made) return std::unexpected(made.error());
  Table table;
  for (const PluginFile& file : folder->plugins)
    table.push_back(load_file(file, find_previous(file)));
  settle_namespaces(table);
  return table;
}

// Whoever put a file there expects something of it.
void PluginHost::log_left_aside(const PluginFolder& folder) const {
  const std::string where = "plugin folder " + config_.directory + ": ";
  if (folder.plugins.empty())
    log_.write(base::LogLevel::warning, where + "no plugin in it: they are .wasm and .wat files");
  if (!folder.lone_manifests.empty())
    log_.write(base::LogLevel::warning, where + "manifests without a .wasm or .wat of that name: " +
                                            listed(folder.lone_manifests));
  if (!folder.others.empty())
    log_.write(folder.plugins.empty() ? base::LogLevel::warning : base::LogLevel::info,
               where + "left aside, being neither plugin nor manifest: " + listed(folder.others));
}

base::Result<void> PluginHost::make_engine() {
  if (engine_) return {};
  const config::PluginLimits& limits = config_.limits;
  // Beside the slots of the event loops: one per thread of the slow lane, and one for loading.
  const auto more = static_cast<std::uint32_t>(services_.lane.threads()) + 1;
  auto engine = make_wasm_engine({.max_instances = config_.pool_instances + more,
                                  .max_memory_bytes = limits.memory_mb * kMib,
                                  .max_table_elements = limits.table_elements,
                                  .memory_reservation_bytes = config_.memory_reservation_mb * kMib,
                                  .longest_deadline_ticks = std::max(
                                      deadline_ticks(limits.timeout_ms), services_.inline_ticks)},
                                 host_imports());
  if (!engine) return std::unexpected(engine.error());
  engine_ = std::move(*engine);
  return {};
}

const PluginHost::Entry* PluginHost::find_previous(const PluginFile& file) const {
  const auto found = std::ranges::find_if(
      table_, [&](const Entry& entry) { return entry.file.path == file.path; });
  return found == table_.end() ? nullptr : &*found;
}

PluginHost::Entry PluginHost::load_file(const PluginFile& file, const Entry* previous) {
  Entry entry{
      .file = file, .name = file.stem, .digest = {}, .limits = {}, .plugin = nullptr, .error = {}};
  if (previous != nullptr) {
    entry.digest = previous->digest;
    entry.limits = previous->limits;
    entry.plugin = previous->plugin;
  }
  const auto source = read_plugin(file, config_.limits.module_kb);
  if (!source) {
    entry.error = source.error().message;
    return entry;
  }
  if (entry.plugin != nullptr && entry.digest == source->digest && entry.limits == config_.limits) {
    entry.name = entry.plugin->traits().name;
    return entry;
  }
  auto plugin = load_source(entry, *source);
  if (!plugin) {
    entry.error = plugin.error().message;
    return entry;
  }
  entry.plugin = std::move(*plugin);
  entry.digest = source->digest;
  entry.limits = config_.limits;
  return entry;
}

base::Result<std::shared_ptr<WasmPlugin>> PluginHost::load_source(Entry& entry,
                                                                  const PluginSource& source) {
  PluginParts parts;
  auto manifest = manifest_of(entry, source);
  if (!manifest) return std::unexpected(manifest.error());
  parts.manifest = std::move(*manifest);
  entry.name = parts.manifest.name;
  const auto space_name = kv::namespace_name(parts.manifest.name);
  if (!space_name) return std::unexpected(space_name.error());

  auto module = compile(entry, source, parts.layout);
  if (!module) return std::unexpected(module.error());
  parts.module = std::move(*module);
  auto shape = check_module(*parts.module, parts.manifest);
  if (!shape) return std::unexpected(shape.error());
  parts.shape = std::move(*shape);
  if (auto linked = parts.module->link(); !linked) return std::unexpected(linked.error());

  const auto space = services_.store.open(*space_name);
  if (!space) return std::unexpected(space.error());
  parts.space = *space;
  auto& counters = counters_[*space_name];
  if (!counters) counters = std::make_shared<PluginCounters>();
  parts.counters = counters;
  auto plugin = std::make_shared<WasmPlugin>(services_, std::move(parts));
  if (auto tried = plugin->try_out(); !tried) return std::unexpected(tried.error());
  services_.store.prefer_durability(**space, plugin->version().manifest().durability);
  return plugin;
}

base::Result<Manifest> PluginHost::manifest_of(const Entry& entry,
                                               const PluginSource& source) const {
  if (!source.manifest) return default_manifest(entry.file.stem, config_.limits);
  return parse_manifest(*source.manifest, entry.file.manifest_path(), entry.file.stem,
                        config_.limits);
}

base::Result<std::unique_ptr<WasmModule>> PluginHost::compile(const Entry& entry,
                                                              const PluginSource& source,
                                                              StaticLayout& layout) {
  auto binary =
      entry.file.is_text ? engine_->assemble(source.code) : base::Result<std::string>(source.code);
  if (!binary) return std::unexpected(binary.error());
  if (const auto checked = check_module_limits(*binary); !checked)
    return std::unexpected(checked.error());
  layout = StaticLayout::of(*binary);
  return compile_guard_.compile(engine_, std::move(*binary),
                                std::chrono::milliseconds(config_.limits.compile_timeout_ms));
}

// Two plugins must not share a namespace. Who had it already keeps it, else the first by file name.
void PluginHost::settle_namespaces(Table& table) const {
  std::map<const kv::Namespace*, const Entry*> owners;
  const auto had_it = [&](const Entry& entry) {
    const Entry* const previous = find_previous(entry.file);
    return previous != nullptr && previous->plugin != nullptr &&
           &previous->plugin->version().space() == &entry.plugin->version().space();
  };
  for (const bool old_owners : {true, false})
    for (Entry& entry : table) {
      if (entry.plugin == nullptr || had_it(entry) != old_owners) continue;
      const auto [owner, taken] = owners.try_emplace(&entry.plugin->version().space(), &entry);
      if (taken) continue;
      entry.error = "its namespace \"" + entry.plugin->version().space().name() +
                    "\" is also that of " + owner->second->file.path;
      entry.plugin = nullptr;
      entry.digest.clear();
    }
}

bool PluginHost::is_optional(const Entry& entry) const {
  const auto same = [](const std::string& a, const std::string& b) {
    const auto space_a = kv::namespace_name(a);
    const auto space_b = kv::namespace_name(b);
    return a == b || (space_a && space_b && *space_a == *space_b);
  };
  return std::ranges::any_of(config_.optional, [&](const std::string& name) {
    return same(name, entry.name) || same(name, entry.file.stem);
  });
}

std::shared_ptr<const hooks::Chain> PluginHost::install(Table table) {
  log_new(table);
  std::vector<std::shared_ptr<hooks::Plugin>> plugins;
  for (const Entry& entry : table)
    if (entry.plugin != nullptr) plugins.push_back(entry.plugin);
  Table old;  // ends after the lock
  const std::lock_guard lock(table_mutex_);
  old = std::exchange(table_, std::move(table));
  for (const Entry& entry : old) {
    const auto goes_on = std::ranges::find(table_, entry.plugin, &Entry::plugin) != table_.end();
    if (entry.plugin != nullptr && !goes_on) entry.plugin->retire();
  }
  return std::make_shared<const hooks::Chain>(std::move(plugins));
}

void PluginHost::log_new(const Table& table) const {
  for (const Entry& entry : table) {
    const Entry* const previous = find_previous(entry.file);
    if (entry.plugin == nullptr || (previous != nullptr && previous->plugin == entry.plugin))
      continue;
    std::string line = line_about(entry.file.path, "loaded as " + entry.name);
    if (!entry.plugin->version().manifest().version.empty())
      line += " " + entry.plugin->version().manifest().version;
    log_.write(base::LogLevel::info,
               line + ", namespace " + entry.plugin->version().space().name());
    for (const std::string& warning : entry.plugin->version().shape().warnings)
      log_.write(base::LogLevel::warning, line_about(entry.file.path, warning));
  }
}

std::optional<std::string> PluginHost::why_full() const {
  const std::lock_guard lock(table_mutex_);
  for (const Entry& entry : table_) {
    if (entry.plugin == nullptr ||
        entry.plugin->version().manifest().on_error != hooks::OnError::deny)
      continue;
    if (auto why = entry.plugin->version().why_full())
      return "the namespace " + entry.plugin->version().space().name() + " of plugin " +
             entry.plugin->traits().name + " is full: " + *why;
  }
  return std::nullopt;
}

std::vector<PluginInfo> PluginHost::describe() const {
  const std::lock_guard lock(table_mutex_);
  std::vector<PluginInfo> infos;
  for (const Entry& entry : table_) {
    PluginInfo info;
    info.name = entry.plugin ? entry.plugin->traits().name : entry.name;
    info.file = entry.file.path;
    info.load_error = entry.error;
    if (entry.plugin) {
      info.state = entry.error.empty() ? PluginInfo::State::loaded : PluginInfo::State::outdated;
      describe_plugin(*entry.plugin, info);
    }
    infos.push_back(std::move(info));
  }
  return infos;
}

}  // namespace helios::plugins
