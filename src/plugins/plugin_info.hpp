// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is known of one file of the plugin folder, and what became of all of them in a reload: plain values for people, the
// admin interface and metrics. Thread rule: none, they are copies.

#include "hooks/plugin.hpp"
#include "plugins/plugin_counters.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::plugins {

// One file of the plugin folder, for people.
struct PluginInfo {
  enum class State {
    loaded,
    outdated,  // an earlier version runs on; what is in the folder now cannot be loaded
    failed,    // nothing of it runs
  };
  std::string name;
  std::string space;                 // its namespace; empty when failed
  std::string_view durability = {};  // its class, in a word
  std::string version;
  std::string sha256;           // of the module's file that runs, in hex; empty when failed
  std::string manifest_sha256;  // of its manifest; of no bytes where there is none
  std::string file;
  State state = State::failed;
  std::vector<std::string> hooks;  // that are called
  std::int32_t order = 0;
  hooks::OnError on_error = hooks::OnError::deny;
  std::vector<std::string> warnings;
  std::string load_error;  // outdated, failed
  std::string last_error;  // of a call

  std::uint64_t calls = 0;
  std::uint64_t failures = 0;
  std::uint64_t refusals = 0;
  std::uint64_t retries = 0;
  std::uint64_t overruns = 0;
  std::uint64_t exclusive = 0;
  std::uint64_t refused_writes = 0;
  CallsByRetries retried_calls{};
  std::uint64_t backed_off = 0;
  struct WriteChecks {
    std::uint64_t allowed = 0;
    std::uint64_t refused = 0;
    std::uint64_t failed = 0;
    std::uint64_t forced = 0;  // not asked
  };
  WriteChecks write_checks;                                    // of what operators wrote
  std::vector<std::pair<std::string, std::uint64_t>> metrics;  // that the plugin itself counts
  std::uint32_t abi = 0;                                       // 1 or 2; 0 when failed

  bool is_slow = false;                  // calls go straight to the slow lane
  std::size_t backing_off_callers = 0;   // for whom the plugin is not run at present
  std::int64_t backing_off_left_ms = 0;  // until the last of them is tried again
};

[[nodiscard]] std::string_view to_text(PluginInfo::State state);

// Do both names mean the same plugin? That is so when they are the same, or stand for one namespace.
[[nodiscard]] bool is_same_plugin(const std::string& a, const std::string& b);

// What a reload did to one plugin.
struct PluginChange {
  enum class Kind { added, removed, changed, kept };
  Kind kind = Kind::kept;
  std::string name;
  std::string version;      // that runs now; removed: that ran
  std::string sha256;       // likewise
  std::string old_version;  // changed
  std::string old_sha256;  // changed; equal to sha256 where the manifest or the limits have changed
};

[[nodiscard]] std::string_view to_text(PluginChange::Kind kind);

// How the set of running plugins differs, by name. A plugin that runs on in its old version, because the new one cannot be
// loaded, is kept. `is_reloaded(name)`: what runs under that name was made anew.
[[nodiscard]] std::vector<PluginChange> changes_between(
    std::span<const PluginInfo> before, std::span<const PluginInfo> after,
    const std::function<bool(const std::string&)>& is_reloaded);

// "audit-chain changed: version 1.1, SHA-256 ab... takes the place of version 1.0, SHA-256 cd...".
[[nodiscard]] std::string describe_change(const PluginChange& change);

}  // namespace helios::plugins
