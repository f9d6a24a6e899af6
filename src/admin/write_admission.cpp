// SPDX-License-Identifier: Apache-2.0
#include "admin/write_admission.hpp"

#include "admin/replies.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <optional>
#include <utility>

namespace helios::admin {
namespace {

constexpr std::size_t kMaxNamesShown = 5;
// Comparing is for people: beyond so many names nobody waits for it.
constexpr std::size_t kMaxNamesCompared = 1000;
constexpr std::size_t kMostEdits = 3;

base::Result<bool> flag_of(const std::optional<std::string>& header, std::string_view name) {
  if (!header) return false;
  if (*header == "true") return true;
  return base::fail(base::Errc::invalid, std::string(name) + " is \"true\", or left out");
}

// How many letters have to be put in, taken out or changed to make one of the other.
std::size_t edits_between(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t changed = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

std::size_t difference(std::size_t a, std::size_t b) { return a < b ? b - a : a - b; }

}  // namespace

base::Result<WriteFlags> write_flags(const Request& request) {
  const auto force = flag_of(request.force, "Helios-Force");
  if (!force) return std::unexpected(force.error());
  const auto makes = flag_of(request.new_namespace, "Helios-New-Namespace");
  if (!makes) return std::unexpected(makes.error());
  return WriteFlags{.is_forced = *force, .makes_namespace = *makes};
}

std::vector<std::string> near_names(std::vector<std::string> names, std::string_view name) {
  names.resize(std::min(names.size(), kMaxNamesCompared));
  std::vector<std::pair<std::size_t, std::string>> near;
  for (std::string& other : names) {
    // Less than half of the letters: of short names any would do otherwise.
    const std::size_t most = std::min(kMostEdits, (std::max(name.size(), other.size()) - 1) / 2);
    if (other.empty() || difference(other.size(), name.size()) > most) continue;
    if (const std::size_t edits = edits_between(name, other); edits <= most)
      near.emplace_back(edits, std::move(other));
  }
  std::ranges::sort(near);
  near.resize(std::min(near.size(), kMaxNamesShown));
  names.clear();
  for (auto& [edits, other] : near) names.push_back(std::move(other));
  return names;
}

Response no_such_namespace(kv::Store& store, const Grant& grant, std::string_view name) {
  std::vector<std::string> names;
  for (const kv::Namespace* const space : store.namespaces())
    if (grant.namespaces.empty() || grant.covers(space->name())) names.push_back(space->name());
  std::string text = "there is no namespace \"" + std::string(name) + "\"";
  bool is_first = true;
  for (const std::string& near : near_names(std::move(names), name))
    text += (std::exchange(is_first, false) ? "; did you mean \"" : "\" or \"") + near;
  if (!is_first) text += "\"?";
  return error_reply(404,
                     text + (is_first ? ", nor a loaded plugin of that name;" : "") +
                         " to make a new one, send Helios-New-Namespace: true (heliosproxy kv: "
                         "--new)");
}

std::optional<Response> refuse_append_only(Control* control, std::string_view space) {
  const std::string plugin = control == nullptr ? "" : control->sole_writer_of(space);
  if (plugin.empty()) return std::nullopt;
  return error_reply(403,
                     "nobody but the plugin " + readable(plugin) +
                         " changes what is in its namespace: its manifest says append_only = true");
}

Response write_refused(const WriteOpinion& opinion) {
  const std::string plugin = "the plugin \"" + opinion.plugin + "\" ";
  if (opinion.kind == WriteOpinion::Kind::refused)
    return error_reply(422, plugin + "refuses this value: " + opinion.reason);
  return error_reply(422, plugin + "could not judge this value, so it is not written (" +
                              opinion.reason +
                              "); to write it all the same, send Helios-Force: true (heliosproxy "
                              "kv: --force)");
}

}  // namespace helios::admin
