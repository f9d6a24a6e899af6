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

enum class KvVerb { none, get, put, del, incr, ls, stream, dump, load, stats, purge, backup };

// Of the verb `stream`, beside the plugin.
struct StreamOptions {
  std::string name;         // empty: list the streams
  std::uint64_t from = 1;   // the first record
  std::string since;        // not older than that, see parse_since(); empty: whatever its age
  std::uint64_t limit = 0;  // at most so many records; 0: all
  bool json = false;
  bool follow = false;  // goes on with what is appended
  bool verify = false;  // instead of printing
};

struct KvOptions {
  KvVerb verb = KvVerb::none;  // none: the command line asks for something else
  AdminOptions admin;
  // What about.
  std::string plugin;
  std::string key;
  std::optional<std::string> value;  // put; none: read from `file`
  std::string file = "-";            // put, import; "-" is standard input
  std::int64_t increment = 1;
  std::int64_t ttl_ms = 0;       // 0: never expires
  bool if_absent = false;        // put, import: leave keys alone that are there
  bool is_forced = false;        // put, import: without asking the plugin
  bool makes_namespace = false;  // put, incr, import: where there is none of that name
  std::string prefix;
  bool is_encoded = false;           // key and prefix are percent-encoded, and what `ls` prints is
  bool everything = false;           // purge: without a prefix
  bool long_listing = false;         // ls: with version, size and expiry
  std::string name;                  // backup
  StreamOptions stream;              // stream
  std::vector<std::string> plugins;  // export; empty: all
};

// Whether it leaves everything as it is.
[[nodiscard]] bool only_reads(KvVerb verb);

// Adds the subcommand `kv` to `app`. Parsing fills `options`, which outlives `app`.
void declare_kv(CLI::App& app, KvOptions& options);

}  // namespace helios::cli
