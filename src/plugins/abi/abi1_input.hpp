// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a hook of ABI 1 is given: JSON with the field names that existing plugins read.
//
// pre_query gets one object, the query context:
//   {"query": text, "normalized": text, "tables": [], "is_read_only": bool, "hook_context":
//     {"request_id": uuid, "client_id": uuid, "identity": user, "database": name, "branch": null,
//      "attributes": {name: text, ...}}}
// post_query gets an array of two, the query context and the outcome:
//   {"success": bool, "target_node": "primary", "elapsed_us": n, "response_bytes": n,
//    "error": text | null, "outcome": word, "rows": n | null, "sqlstate": text | null}
// of which outcome, rows and sqlstate are ours. `normalized` is the query itself, and `tables` is
// empty, as plugins have always had them; a manifest can do without the second copy of the text.

#include "hooks/plugin.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::plugins {

// The manifest's [config] as members of `attributes`, under "config.<key>": ",\"config.a\":\"1\"".
// Written once per load.
[[nodiscard]] std::string config_attributes(
    const std::vector<std::pair<std::string, std::string>>& config);

// What follows is the JSON for one call, in the storage of `buffer`. `config` comes from
// config_attributes(). Requires: statement.context.

// The input of authenticate: {"headers":{}, "username", "password":null, "client_ip", "database",
// "client_id"}.
[[nodiscard]] std::string abi1_authentication_input(const hooks::AuthenticationRequest& request,
                                                    std::string buffer = {});

// Requires: a point that has a statement.
[[nodiscard]] std::string abi1_input(hooks::HookPoint point,
                                     const hooks::StatementExecution& statement,
                                     std::string_view config, std::string buffer = {},
                                     bool with_normalized = true);

}  // namespace helios::plugins
