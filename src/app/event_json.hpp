// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the events of the process tell, each as one JSON object of at most hooks::kMaxEventBytes: docs/plugin-abi.md lists the
// members. Texts that others have chosen are cut, and what is not UTF-8 in them is escaped.
//
// Pure. Thread rule: any thread.

#include "admin/control.hpp"
#include "blocks/block.hpp"
#include "plugins/plugin_info.hpp"
#include "session/refusal_records.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace helios::app {

// What holds for every event of this process.
struct ProcessFacts {
  std::string process;        // its start, 16 hexadecimal digits: another start has another
  std::string configuration;  // SHA-256 of the configuration file, in hex; empty: there is none
};

// To a plugin that runs from now on. `cause`: "start" (of the process) or "added" (by a reload).
[[nodiscard]] std::string start_json(const ProcessFacts& facts, std::string_view cause,
                                     std::span<const plugins::PluginInfo> plugins);

// To a plugin that does not run any more. `cause`: "shutdown" or "removed".
[[nodiscard]] std::string stop_json(const ProcessFacts& facts, std::string_view cause);

// To plugins that ran before and run on. `old_configuration`: as in ProcessFacts.
[[nodiscard]] std::string reload_json(const ProcessFacts& facts, std::string_view old_configuration,
                                      bool is_refused, const admin::ReloadReport& report);

// `body_hmac`: of the body of the request, in hex; empty: it has none.
[[nodiscard]] std::string admin_json(const admin::AdminAction& action, std::string_view body_hmac);

// `by_server`: the server did not let the client in, and not the proxy. `left_out`: events of this kind that nobody was told
// of since the last one.
[[nodiscard]] std::string login_json(const session::RefusalRecord& record, bool by_server,
                                     std::uint64_t left_out);

[[nodiscard]] std::string block_json(const blocks::Block& block, std::uint64_t sessions_ended);
// `cause`: "taken away" or "expired".
[[nodiscard]] std::string unblock_json(const blocks::Block& block, std::string_view cause);

}  // namespace helios::app
