// SPDX-License-Identifier: Apache-2.0
#pragma once

// `heliosproxy block`, `unblock` and `blocked`: keep somebody out of a running proxy, let him in again, and see who is out.

#include "base/result.hpp"
#include "cli/admin_options.hpp"
#include "cli/state_reader.hpp"

#include <iosfwd>
#include <string>

namespace CLI {
class App;
}

namespace helios::cli {

enum class BlockVerb { none, block, unblock, list };

struct BlockOptions {
  BlockVerb verb = BlockVerb::none;  // none: the command line asks for something else
  AdminOptions admin;
  std::string kind;  // block and unblock: "user", "database", "tenant", "agent"
  std::string name;
  std::string reason;    // block
  std::string duration;  // block: as parse_duration() takes it; empty: until somebody unblocks
  bool as_json = false;  // list: a JSON object a line
};

// Adds the three subcommands to `app`. Parsing fills `options`, which outlives `app`.
void declare_blocks(CLI::App& app, BlockOptions& options);

// Does it, and prints what has come of it to `out`. Requires: a verb. Errors: one line for the user.
[[nodiscard]] base::Result<void> run_blocks(const BlockOptions& options, const AskAdmin& ask,
                                            std::ostream& out);

}  // namespace helios::cli
