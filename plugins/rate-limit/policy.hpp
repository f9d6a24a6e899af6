// SPDX-License-Identifier: Apache-2.0
#pragma once

// What rate-limit decides, without the host.

#include "helios/plugin.hpp"

namespace helios::rate_limit {

// configuration_limit_exceeded, which nothing else says that a client meets here; and config_file_error.
inline constexpr const char* kLimited = "53400";
inline constexpr const char* kUnusable = "F0000";

enum class Per { tenant, user, statement };

struct Limit {
  Per per = Per::tenant;
  plugin::Rate rate;
};

// Nothing when it is not JSON, when burst, tokens or period_ms are not whole numbers (burst may be 0, the
// others not), or when "per" is none of its three.
[[nodiscard]] inline plugin::Optional<Limit> parse_limit(plugin::StringView json) {
  const plugin::Optional<plugin::Json> object = plugin::Json::parse(json);
  if (!object) return {};
  const auto integer = [&object](plugin::StringView name, int64_t least) {
    const plugin::Optional<plugin::Json> field = object->member(name);
    const plugin::Optional<int64_t> number = field ? field->integer() : plugin::Optional<int64_t>();
    return number && *number >= least ? number : plugin::Optional<int64_t>();
  };
  const auto burst = integer("burst", 0);
  const auto tokens = integer("tokens", 1);
  const auto period_ms = integer("period_ms", 1);
  if (!burst || !tokens || !period_ms) return {};
  Limit limit{Per::tenant, {*burst, *tokens, *period_ms}};
  const plugin::Optional<plugin::Json> per = object->member("per");
  if (!per) return limit;
  const plugin::String name = per->string().value_or("");
  if (name == "user") limit.per = Per::user;
  if (name == "statement") limit.per = Per::statement;
  if (limit.per == Per::tenant && !(name == "tenant")) return {};
  return limit;
}

// Of a statement by its fingerprint: 16 hex digits. All those of which the grammar cannot tell one, because it
// refuses them or they are too long, share a bucket: nobody gets a fresh one by writing such a text.
[[nodiscard]] inline plugin::String statement_subject(plugin::Optional<uint64_t> fingerprint) {
  if (!fingerprint) return "unread";
  static constexpr char kDigits[] = "0123456789abcdef";
  plugin::String text;
  for (int shift = 60; shift >= 0; shift -= 4) text.append(kDigits[(*fingerprint >> shift) & 15]);
  return text;
}

// Whose bucket a token came from and at which rate: pre_query's notes for post_query.
[[nodiscard]] inline plugin::String format_taken(const Limit& limit) {
  return plugin::concat(plugin::format_int(static_cast<int64_t>(limit.per)), " ",
                        plugin::format_int(limit.rate.burst), " ",
                        plugin::format_int(limit.rate.tokens), " ",
                        plugin::format_int(limit.rate.period_ms));
}
// Nothing for any other text.
[[nodiscard]] inline plugin::Optional<Limit> parse_taken(plugin::StringView notes) {
  int64_t numbers[4] = {};
  size_t at = 0;
  for (int64_t& number : numbers) {
    const size_t begin = at;
    while (at < notes.size() && notes[at] != ' ') ++at;
    const plugin::Optional<int64_t> parsed = plugin::parse_int(notes.part(begin, at - begin));
    if (!parsed) return {};
    number = *parsed;
    if (at < notes.size()) ++at;
  }
  if (numbers[0] < 0 || numbers[0] > static_cast<int64_t>(Per::statement)) return {};
  return Limit{static_cast<Per>(numbers[0]), {numbers[1], numbers[2], numbers[3]}};
}

// "rate limit of the tenant reached (retry in 0.25s)"
[[nodiscard]] inline plugin::String refusal(Per per, const plugin::Taken& taken) {
  const plugin::StringView whose = per == Per::tenant ? "tenant"
                                   : per == Per::user ? "user"
                                                      : "statement";
  if (taken.retry_after_ns < 0)
    return plugin::concat("rate limit of the ", whose, " lets nothing through");
  // Rounded up: who waits so long is served.
  const int64_t ms = (taken.retry_after_ns + 999'999) / 1'000'000;
  return plugin::concat("rate limit of the ", whose, " reached (retry in ",
                        plugin::format_fixed(static_cast<double>(ms) / 1000.0, 3), "s)");
}

}  // namespace helios::rate_limit
