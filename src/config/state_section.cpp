// SPDX-License-Identifier: Apache-2.0
#include "config/state_section.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::config {
namespace {

constexpr std::uint64_t kGib = 1ULL << 30;

const Words<Durability> kDurabilities = {
    {"memory", Durability::memory},
    {"relaxed", Durability::relaxed},
    {"strict", Durability::strict},
};

// Whoever asks for it counts on it.
void check_strict(TomlSection& section, std::string_view key, Durability durability,
                  const State& state) {
  if (durability != Durability::strict || !state.directory.empty()) return;
  section.add_problem(key,
                      "\"strict\" needs a place on disk: set state.directory, or use \"memory\"");
}

void read_archive(TomlSection& section, State& out) {
  constexpr std::uint32_t kMaxDays = 36500;
  section.text("archive", out.archive);
  section.integer("archive_above_bytes", out.archive_above_bytes, std::uint64_t{0},
                  1024 * 1024 * kGib);
  section.integer("archive_after_days", out.archive_after_days, 0U, kMaxDays);
  section.integer("archive_keep_days", out.archive_keep_days, 0U, kMaxDays);
  if (out.archive.empty()) return;
  if (out.directory.empty())
    section.add_problem("archive",
                        "needs a state directory, whose records move there: set state.directory");
  // A sixteenth is kept free for what has begun.
  if (out.archive_above_bytes >= out.max_stream_bytes / 16 * 15)
    section.add_problem(
        "archive_above_bytes",
        "must be less than 15/16 of state.max_stream_bytes, or appends are refused before "
        "anything moves");
}

void check_target(TomlSection& section, const StateAnchor& anchor) {
  if (section.has("file") == section.has("url"))
    return section.add_own_problem("needs either file or url");
  if (section.has("file") && anchor.file.empty()) section.add_problem("file", "must not be empty");
  if (section.has("url") && !anchor.url.starts_with("https://"))
    section.add_problem("url", "must begin with https://");
  for (const std::string_view key : {"token_file", "ca_file"}) {
    if (section.has(key) && !section.has("url"))
      section.add_problem(key, "is of no meaning without url");
  }
}

void read_anchor(TomlSection& section, State& out) {
  constexpr std::size_t kMost = 16;
  constexpr std::uint32_t kMostSeconds = 31 * 24 * 3600;
  StateAnchor anchor;
  section.text("stream", anchor.stream);
  section.integer("every_s", anchor.every_s, 1U, kMostSeconds);
  section.text("file", anchor.file);
  section.text("url", anchor.url);
  section.text("token_file", anchor.token_file);
  section.text("ca_file", anchor.ca_file);
  if (!section.has("stream")) section.add_own_problem("needs a stream, as in audit-chain/trail");
  check_target(section, anchor);
  if (out.anchors.size() == kMost)
    section.add_own_problem("is one too many: there may be " + std::to_string(kMost));
  anchor.origin = section.own_place();
  section.finish();
  out.anchors.push_back(std::move(anchor));
}

}  // namespace

void read_state(TomlSection section, State& out) {
  section.text("directory", out.directory);
  section.choice("durability", out.durability, kDurabilities);
  check_strict(section, "durability", out.durability, out);
  section.boolean("salvage", out.salvage);
  section.text("backups", out.backups);
  section.integer("max_stream_bytes", out.max_stream_bytes, std::uint64_t{1}, 1024 * 1024 * kGib);
  read_archive(section, out);
  section.tables("anchors", [&out](TomlSection anchor) { read_anchor(anchor, out); });
  if (!out.anchors.empty() && out.directory.empty())
    section.add_problem("anchors",
                        "need a state directory: what is in memory only is forgotten, and an "
                        "anchor of it would accuse the next trail");
  TomlSection named = section.section("namespaces");
  std::vector<std::pair<std::string, std::string>> all;
  named.all_texts(all);
  for (const auto& [name, word] : all) {
    auto& durability = out.namespaces.emplace_back(name, Durability::relaxed).second;
    named.choice(name, durability, kDurabilities);
    check_strict(named, name, durability, out);
  }
  named.finish();
  section.finish();
}

}  // namespace helios::config
