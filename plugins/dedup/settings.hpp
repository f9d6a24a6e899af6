// SPDX-License-Identifier: Apache-2.0
#pragma once

// What an operator may tell dedup, without the host.

#include "helios/plugin.hpp"

namespace helios::dedup {

struct Settings {
  int64_t window_ms = 0;
  bool writes_only = true;  // false: queries too, which may call a function that writes
  plugin::Optional<plugin::String> answer;  // to repeats; none: they are refused
};

// Reads the text under "config". Returns what is wrong with it; empty: it can be used as it stands.
[[nodiscard]] inline plugin::String read_settings(plugin::StringView json, Settings& settings) {
  constexpr int64_t kMaxWindowMs = int64_t{1} << 52;  // the longest time to live of a key
  plugin::FieldReader fields;
  fields.whole("window_ms", settings.window_ms, 1, kMaxWindowMs).required();
  fields.flag("writes_only", settings.writes_only);
  fields.text("answer", settings.answer);
  return fields.read(json);
}

// What an operator may write under a key of the namespace: "" if that can be used as it stands, else why not.
[[nodiscard]] inline plugin::String problem_of_write(plugin::StringView key,
                                                     plugin::StringView value) {
  if (key.starts_with("seen:")) return "";
  if (!(key == "config"))
    return "there is no such key here; there are `config` and `seen:<digest>`";
  Settings settings;
  const plugin::String problem = read_settings(value, settings);
  return problem.empty() ? problem : plugin::concat("config: ", problem);
}

// What stands there already, perhaps since a time when nobody looked at it; nothing when it cannot be used.
[[nodiscard]] inline plugin::Optional<Settings> stored_settings(plugin::StringView json) {
  Settings strict;
  const plugin::String flaw = read_settings(json, strict);
  if (flaw.empty()) return strict;
  plugin::warn_once(plugin::concat("\"config\" would be refused today: ", flaw));
  const plugin::Optional<plugin::Json> object = plugin::Json::parse(json);
  if (!object) return {};
  const auto window = object->member("window_ms");
  const auto writes_only = object->member("writes_only");
  const plugin::Optional<int64_t> ms = window ? window->integer() : plugin::Optional<int64_t>();
  if (!ms || *ms < 1) return {};
  Settings settings{*ms, !writes_only || writes_only->boolean().value_or(true), {}};
  if (const auto answer = object->member("answer")) {
    settings.answer = answer->string();
    if (!settings.answer) return {};
  }
  return settings;
}

}  // namespace helios::dedup
