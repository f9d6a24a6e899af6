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

// The text with every number and every quoted string replaced by '?', and one space for any white space:
// statements that differ in constants alone have one. Quoted names stay as they are.
[[nodiscard]] inline plugin::String fingerprint(plugin::StringView text) {
  const auto is_word = [](char byte) {
    const char lower = static_cast<char>(byte | 0x20);
    return (lower >= 'a' && lower <= 'z') || byte == '_' || byte == '$' ||
           static_cast<unsigned char>(byte) >= 0x80 || plugin::detail::is_digit(byte);
  };
  const auto is_space = [](char byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); };
  plugin::String out;
  for (size_t at = 0; at < text.size();) {
    const char byte = text[at];
    const bool begins = at == 0 || !is_word(text[at - 1]);
    if (byte == '\'') {
      // '' within is two strings side by side, which leaves one '?' more but splits none.
      for (++at; at < text.size() && text[at] != '\''; ++at) {
      }
      ++at;
      out.append('?');
    } else if (begins && plugin::detail::is_digit(byte)) {
      while (at < text.size() && (is_word(text[at]) || text[at] == '.')) ++at;
      out.append('?');
    } else if (is_space(byte)) {
      while (at < text.size() && is_space(text[at])) ++at;
      out.append(' ');
    } else {
      out.append(byte);
      ++at;
    }
  }
  return out;
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
