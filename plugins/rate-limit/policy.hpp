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

inline constexpr plugin::StringView kPerNames[] = {"tenant", "user", "statement"};  // by Per

// Reads the text of a limit, that of a subject without "per". Returns what is wrong with it; empty: it can be used as it
// stands. kv_take() takes any such rate: no more than a token per nanosecond, and 36 years at most to fill a bucket.
[[nodiscard]] inline plugin::String read_limit(plugin::StringView json, bool has_per,
                                               Limit& limit) {
  constexpr int64_t kNsPerMs = 1'000'000;
  constexpr int64_t kMaxFillNs = INT64_MAX / 8;
  constexpr int64_t kMaxPeriodMs = INT64_MAX / kNsPerMs;
  size_t per = 0;
  plugin::FieldReader fields;
  fields.whole("burst", limit.rate.burst, 0).required();
  fields.whole("tokens", limit.rate.tokens, 1).required();
  fields.whole("period_ms", limit.rate.period_ms, 1, kMaxPeriodMs).required();
  if (has_per) fields.choice("per", per, kPerNames);
  plugin::String problem = fields.read(json);
  if (!problem.empty()) return problem;
  limit.per = static_cast<Per>(per);
  const int64_t period_ns = limit.rate.period_ms * kNsPerMs;
  if (limit.rate.tokens > period_ns) return "`tokens` are more than one per nanosecond";
  const int64_t interval_ns = (period_ns - 1) / limit.rate.tokens + 1;
  if (limit.rate.burst > kMaxFillNs / interval_ns)
    return "`burst` is more than comes back in 36 years";
  return {};
}

// What an operator may write under a key of the namespace: "" if that can be used as it stands, else why not.
[[nodiscard]] inline plugin::String problem_of_write(plugin::StringView key,
                                                     plugin::StringView value) {
  constexpr size_t kBucketBytes = 8;
  Limit limit;
  const bool is_of_subject = key.starts_with("config:") && key.size() > 7;
  if (key == "config" || is_of_subject) {
    const plugin::String problem = read_limit(value, !is_of_subject, limit);
    return problem.empty() ? problem : plugin::concat("limit: ", problem);
  }
  if (key.starts_with("bucket:") && key.size() > 7)
    return value.size() == kBucketBytes ? "" : "bucket: the value must have 8 bytes";
  return "there is no such key here; there are `config`, `config:<subject>` and `bucket:<subject>`";
}

// Of a text that stands in the state already, perhaps since a time when nobody looked at it. Nothing when it is not JSON, when burst, tokens or period_ms are not whole numbers (burst may be 0, the
// others not), or when "per" is none of its three.
[[nodiscard]] inline plugin::Optional<Limit> parse_old_limit(plugin::StringView json) {
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

// The limit that stands under `key`; nothing when it is none.
[[nodiscard]] inline plugin::Optional<Limit> stored_limit(plugin::StringView key,
                                                          plugin::StringView json) {
  Limit limit;
  const plugin::String flaw = read_limit(json, key == "config", limit);
  if (flaw.empty()) return limit;
  plugin::warn_once(plugin::concat("\"", key, "\" would be refused today: ", flaw));
  return parse_old_limit(json);
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
