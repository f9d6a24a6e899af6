// SPDX-License-Identifier: Apache-2.0
#include "cli/kv_options.hpp"

#include <CLI/CLI.hpp>

#include <utility>

namespace helios::cli {
namespace {

constexpr std::int64_t kMaxTtlMs = std::int64_t{1} << 52;

CLI::App& add_verb(CLI::App& kv, KvOptions& options, KvVerb verb, const std::string& name,
                   const std::string& what) {
  CLI::App* command = kv.add_subcommand(name, what);
  command->callback([&options, verb] { options.verb = verb; });
  return *command;
}

void declare_encoding(CLI::App& command, KvOptions& options) {
  command.add_flag("-e,--encoded", options.is_encoded, "Keys are percent-encoded");
}

void declare_key(CLI::App& command, KvOptions& options) {
  command.add_option("PLUGIN", options.plugin, "Whose key, as in /plugins")->required();
  command.add_option("KEY", options.key, "The key")->required()->check([](const std::string& key) {
    return key.empty() ? "must not be empty" : "";
  });
  declare_encoding(command, options);
}

void declare_ttl(CLI::App& command, KvOptions& options) {
  command.add_option("--ttl-ms", options.ttl_ms, "Milliseconds after which the entry is gone")
      ->check(CLI::Range(std::int64_t{1}, kMaxTtlMs));
}

void declare_new(CLI::App& command, KvOptions& options) {
  command.add_flag("--new", options.makes_namespace,
                   "Make the namespace, if there is none and no plugin of that name is loaded");
}

void declare_force(CLI::App& command, KvOptions& options) {
  command.add_flag("--force", options.is_forced, "Write without asking the plugin");
}

void declare_stream(CLI::App& command, KvOptions& options) {
  StreamOptions& stream = options.stream;
  const auto at_least_one = CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 62);
  command.add_option("PLUGIN", options.plugin, "Whose stream")->required();
  command.add_option("STREAM", stream.name, "Which; none: list the streams");
  command.add_option("--from", stream.from, "Number of the first record")->check(at_least_one);
  command.add_option("--since", stream.since,
                     "Only records that are not older: 10m, or 2026-10-03T12:00:00Z");
  command.add_option("--limit", stream.limit, "At most so many records")->check(at_least_one);
  CLI::Option* json = command.add_flag("--json", stream.json, "JSON lines, with the digests");
  CLI::Option* follow =
      command.add_flag("--follow", stream.follow, "Go on with what is appended, until killed");
  command
      .add_flag("--verify", stream.verify, "Compute the chain of digests anew, print nothing else")
      ->excludes(json)
      ->excludes(follow);
}

void declare_reads(CLI::App& kv, KvOptions& options) {
  declare_key(add_verb(kv, options, KvVerb::get, "get", "Print the value of a key"), options);
  CLI::App& ls = add_verb(kv, options, KvVerb::ls, "ls", "Print the keys of a plugin");
  ls.add_option("PLUGIN", options.plugin, "Whose keys")->required();
  ls.add_option("--prefix", options.prefix, "Only keys that begin so");
  ls.add_flag("-l,--long", options.long_listing,
              "With version, bytes and what is left of the time");
  declare_encoding(ls, options);
  declare_stream(add_verb(kv, options, KvVerb::stream, "stream", "Print the records of a stream"),
                 options);
  CLI::App& dump = add_verb(kv, options, KvVerb::dump, "export", "Print entries as JSON lines");
  dump.add_option("PLUGIN", options.plugins, "Whose entries; none: everybody's");
  add_verb(kv, options, KvVerb::stats, "stats", "Print what every namespace holds");
}

void declare_writes(CLI::App& kv, KvOptions& options) {
  CLI::App& put = add_verb(kv, options, KvVerb::put, "put", "Set a key");
  declare_key(put, options);
  CLI::Option* value = put.add_option("VALUE", options.value, "The value");
  put.add_option("-f,--file", options.file,
                 "Take the value from a file; - is standard input, as if VALUE is left out")
      ->excludes(value);
  put.add_flag("--if-absent", options.if_absent, "Only if there is no such key");
  declare_ttl(put, options);
  declare_new(put, options);
  declare_force(put, options);
  declare_key(add_verb(kv, options, KvVerb::del, "del", "Remove a key"), options);
  CLI::App& incr = add_verb(kv, options, KvVerb::incr, "incr", "Add to a counter and print it");
  declare_key(incr, options);
  incr.add_option("BY", options.increment, "How much; 1 if left out, 0 to read it");
  declare_ttl(incr, options);
  declare_new(incr, options);
  CLI::App& load = add_verb(kv, options, KvVerb::load, "import", "Set what `export` printed");
  load.add_option("FILE", options.file, "JSON lines; - or none is standard input");
  load.add_flag("--if-absent", options.if_absent, "Leave keys alone that are there");
  declare_new(load, options);
  declare_force(load, options);
  CLI::App& backup = add_verb(kv, options, KvVerb::backup, "backup", "Copy the state on disk");
  backup.add_option("NAME", options.name, "Of the new folder")->required();
  CLI::App& purge = add_verb(kv, options, KvVerb::purge, "purge", "Remove many keys of a plugin");
  purge.add_option("PLUGIN", options.plugin, "Whose keys")->required();
  CLI::Option* prefix = purge.add_option("--prefix", options.prefix, "Keys that begin so");
  purge.add_flag("--all", options.everything, "Every key")->excludes(prefix);
  declare_encoding(purge, options);
}

}  // namespace

bool only_reads(KvVerb verb) {
  switch (verb) {
    case KvVerb::none:
    case KvVerb::get:
    case KvVerb::ls:
    case KvVerb::stream:
    case KvVerb::dump:
    case KvVerb::stats:
    case KvVerb::backup: return true;
    case KvVerb::put:
    case KvVerb::del:
    case KvVerb::incr:
    case KvVerb::load:
    case KvVerb::purge: return false;
  }
  std::unreachable();
}

void declare_kv(CLI::App& app, KvOptions& options) {
  CLI::App* kv = app.add_subcommand("kv", "Read and change the state of plugins");
  kv->require_subcommand(1);
  kv->fallthrough();
  declare_admin(*kv, options.admin);
  declare_reads(*kv, options);
  declare_writes(*kv, options);
}

}  // namespace helios::cli
