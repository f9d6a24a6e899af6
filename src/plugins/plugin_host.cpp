// SPDX-License-Identifier: Apache-2.0
#include "plugins/plugin_host.hpp"

#include "base/text.hpp"
#include "kv/namespace_name.hpp"
#include "plugins/abi/host_imports.hpp"
#include "plugins/module_limits.hpp"
#include "plugins/requirements.hpp"
#include "plugins/sha256.hpp"

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

// Some of them, for a line of the log.
std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 10;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i)
    text += (i == 0 ? "" : ", ") + base::escape_for_log(names[i], 80);
  if (names.size() > kShown) text += " and " + std::to_string(names.size() - kShown) + " more";
  return text;
}

}  // namespace

PluginHost::PluginHost(config::Plugins config, kv::Store& store, exec::SlowLane& lane,
                       const base::Clock& clock, base::Log& log, std::uint32_t inline_ticks,
                       base::FaultSink* faults, config::State state, const HmacKey* hmac_key)
    : log_(log),
      slots_(config.pool_instances),
      services_{store, lane, clock, log, slots_, faults, inline_ticks, hmac_key},
      state_(std::move(state)),
      config_(std::move(config)) {}

PluginHost::~PluginHost() {
  for (const Entry& entry : table_)
    if (entry.plugin != nullptr) entry.plugin->retire();  // what they keep refers to slots_
}

base::Result<std::shared_ptr<const hooks::Chain>> PluginHost::load() {
  const std::lock_guard lock(load_mutex_);
  auto table = read_folder();
  if (!table) return std::unexpected(table.error());
  const std::vector<PluginInfo> infos = plugins::describe(*table);
  std::vector<std::string> problems = unmet_demands(config_, infos);
  for (const PluginInfo& info : infos) {
    if (info.load_error.empty() || is_required(config_, info)) continue;
    std::string line = line_about(info.file, info.load_error);
    if (is_optional(config_, info)) {
      log_.write(base::LogLevel::warning, line + " (optional, so left out)");
    } else {
      problems.push_back(std::move(line));
    }
  }
  if (problems.empty()) return install(std::move(*table));
  discard(*table);
  std::string lines;
  for (const std::string& problem : problems) lines += (lines.empty() ? "" : "\n") + problem;
  return base::fail(base::Errc::invalid, lines);
}

ReloadResult PluginHost::reload(const config::Plugins& config) {
  const std::lock_guard lock(load_mutex_);
  const config::Plugins old_config = std::exchange(config_, config);
  const auto old_engine = engine_;
  // The engine is made for the limits; plugins of the old one keep it alive as long as they run.
  if (config.limits != old_config.limits) engine_.reset();
  const std::vector<PluginInfo> before = plugins::describe(table_);
  ReloadResult result;
  auto table = read_folder();
  if (!table) {
    result.errors.push_back(table.error().message);
    table = table_;
  }
  const std::vector<PluginInfo> after = plugins::describe(*table);
  const std::vector<std::string> unmet = unmet_demands(config_, after);
  result.is_refused = !unmet.empty();
  result.errors.insert(result.errors.end(), unmet.begin(), unmet.end());
  for (const PluginInfo& info : after) {
    if (info.load_error.empty() || is_required(config_, info)) continue;
    result.errors.push_back(line_about(info.file, info.load_error));
  }
  const std::string_view then = result.is_refused ? "; nothing changed" : "";
  for (const std::string& error : result.errors)
    log_.write(base::LogLevel::error, "reload: " + error + std::string(then));
  if (result.is_refused) {
    discard(*table);
    config_ = old_config;
    engine_ = old_engine;
    table = table_;
  } else {
    result.changes = changes_between(before, after, [&](const std::string& name) {
      return plugin_called(name, table_) != plugin_called(name, *table);
    });
    log_changes(result.changes);
  }
  result.chain = install(std::move(*table));
  return result;
}

// That runs.
const WasmPlugin* PluginHost::plugin_called(const std::string& name, const Table& table) {
  for (const Entry& entry : table)
    if (entry.plugin != nullptr && entry.plugin->traits().name == name) return entry.plugin.get();
  return nullptr;
}

// Whoever looks for the moment from which a guard was gone finds it by this line.
void PluginHost::log_changes(const std::vector<PluginChange>& changes) const {
  for (const PluginChange& change : changes) {
    const bool is_loss = change.kind == PluginChange::Kind::removed;
    log_.write(is_loss ? base::LogLevel::warning : base::LogLevel::info,
               "reload: plugin " + describe_change(change));
  }
}

// What was loaded and is not to run.
void PluginHost::discard(const Table& table) const {
  for (const Entry& entry : table) {
    const bool runs = std::ranges::find(table_, entry.plugin, &Entry::plugin) != table_.end();
    if (entry.plugin != nullptr && !runs) entry.plugin->retire();
  }
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
  for (const PluginFile& manifest : folder->lone_manifests)
    table.push_back(lone_manifest(manifest));
  settle_conflicts(table, table_);
  return table;
}

// Whoever put a file there expects something of it.
void PluginHost::log_left_aside(const PluginFolder& folder) const {
  const std::string where = "plugin folder " + config_.directory + ": ";
  if (folder.plugins.empty())
    log_.write(base::LogLevel::warning, where + "no plugin in it: they are .wasm and .wat files");
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
  return find_entry(table_, file);
}

// Somebody believes that what it says holds. The plugin whose module has gone runs on.
PluginHost::Entry PluginHost::lone_manifest(const PluginFile& manifest) const {
  Entry entry{.file = manifest,
              .name = manifest.stem,
              .digest = {},
              .limits = {},
              .plugin = nullptr,
              .error = {}};
  const auto previous = std::ranges::find_if(table_, [&](const Entry& other) {
    return other.plugin != nullptr && other.file.manifest_path() == manifest.path;
  });
  if (previous != table_.end()) entry = *previous;
  entry.error = "a manifest without a module: put " + manifest.stem + ".wasm or " + manifest.stem +
                ".wat beside it, or remove the manifest";
  return entry;
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
    entry.error = base::one_line(plugin.error().message);
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
  if (auto kept = check_durability(parts.manifest, *space_name); !kept)
    return std::unexpected(kept.error());

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
  return plugin;
}

// Whoever asks for "strict" counts on it.
base::Result<void> PluginHost::check_durability(const Manifest& manifest,
                                                const std::string& space) const {
  if (manifest.durability != kv::Durability::strict || !state_.directory.empty()) return {};
  const bool is_configured = std::ranges::any_of(
      state_.namespaces, [&](const auto& named) { return is_same_plugin(named.first, space); });
  if (is_configured) return {};
  return base::fail(
      base::Errc::invalid,
      "asks for durability = \"strict\", and state is kept in memory only: set [state] "
      "directory, or say that it may be lost: [state.namespaces] " +
          space + " = \"memory\"");
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

std::shared_ptr<const hooks::Chain> PluginHost::install(Table table) {
  log_new(table);
  std::vector<std::shared_ptr<hooks::Plugin>> plugins;
  for (const Entry& entry : table)
    if (entry.plugin != nullptr) {
      plugins.push_back(entry.plugin);
      const PluginVersion& version = entry.plugin->version();
      services_.store.prefer_durability(version.space(), version.manifest().durability);
    }
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

std::vector<std::shared_ptr<WasmPlugin>> PluginHost::running() const {
  std::vector<std::shared_ptr<WasmPlugin>> found;
  const std::lock_guard lock(table_mutex_);
  for (const Entry& entry : table_)
    if (entry.plugin != nullptr) found.push_back(entry.plugin);
  return found;
}

std::vector<PluginInfo> PluginHost::describe() const {
  const std::lock_guard lock(table_mutex_);
  return plugins::describe(table_);
}

}  // namespace helios::plugins
