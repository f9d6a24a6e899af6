// SPDX-License-Identifier: Apache-2.0
#pragma once

// `heliosproxy kv ...`: what can be asked for.

#include "cli/admin_options.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace helios::cli {

enum class KvVerb { none, get, put, del, incr, ls, dump, load, stats, purge, backup };

struct KvOptions {
  KvVerb verb = KvVerb::none;  // none: the command line asks for something else
  AdminOptions admin;
  // What about.
  std::string plugin;
  std::string key;
  std::optional<std::string> value;  // put; none: read from `file`
  std::string file = "-";            // put, import; "-" is standard input
  std::int64_t increment = 1;
  std::int64_t ttl_ms = 0;  // 0: never expires
  bool if_absent = false;   // put, import: leave keys alone that are there
  std::string prefix;
  bool is_encoded = false;           // key and prefix are percent-encoded, and what `ls` prints is
  bool everything = false;           // purge: without a prefix
  bool long_listing = false;         // ls: with version, size and expiry
  std::string name;                  // backup
  std::vector<std::string> plugins;  // export; empty: all
};

// Whether it leaves everything as it is.
[[nodiscard]] bool only_reads(KvVerb verb);

// Adds the subcommand `kv` to `app`. Parsing fills `options`, which outlives `app`.
void declare_kv(CLI::App& app, KvOptions& options);

}  // namespace helios::cli
