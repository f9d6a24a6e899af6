// SPDX-License-Identifier: Apache-2.0
#pragma once

// GET /refusals: why statements, and clients, were refused.

#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace helios::admin {

inline constexpr std::uint64_t kDefaultRefusals = 100;
inline constexpr std::uint64_t kMaxRefusals = 1'000;

// One refusal. Texts may hold any bytes; none of them is, or contains, the text of a statement, but for what a plugin
// puts into its reason.
struct RefusalStatus {
  std::uint64_t number = 0;  // counts from 1 since the start of the process
  std::int64_t time_ms = 0;  // since 1970-01-01 UTC
  std::string request_id;    // as the client and the plugins were told
  std::string plugin;        // "proxy" for a rule of the proxy
  std::string reason;
  std::string sqlstate;
  std::string detail;  // of the plugin
  std::string hint;
  std::string fault;  // of a plugin that failed
  std::string user;
  std::string database;
  std::string tenant;  // empty: none, or not known
  std::string client;  // empty: by a Unix socket
  std::string application_name;
  std::string_view statement_kind;           // static storage; empty: not known
  std::optional<std::uint64_t> fingerprint;  // nullopt: not known
  std::string_view decided_by;  // "verdict", "on_error", "rule", "login", "cap"; static storage
};

// Which of them somebody wants.
struct RefusalQuery {
  std::optional<std::string> tenant;
  std::optional<std::string> user;
  std::optional<std::string> plugin;
  std::int64_t since_ms = 0;
  std::optional<std::uint64_t> after;  // only those with a greater number
  std::uint64_t limit = kDefaultRefusals;
};

struct RefusalPage {
  std::vector<RefusalStatus> refusals;  // in the order of their numbers
  std::uint64_t last_number = 0;        // `after` for those that come behind these
  std::uint64_t forgotten = 0;          // older ones that are not kept any more
};

// From the query of the target: tenant, user, plugin, since, after, limit. Errors: invalid.
[[nodiscard]] base::Result<RefusalQuery> parse_refusal_query(std::string_view query);

// {"refusals":[..],"last":..,"forgotten":..}
[[nodiscard]] std::string refusals_json(const RefusalPage& page);

}  // namespace helios::admin
