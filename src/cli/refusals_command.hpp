// SPDX-License-Identifier: Apache-2.0
#pragma once

// `heliosproxy refusals`: why statements, and clients, were refused.

#include "base/result.hpp"
#include "cli/admin_options.hpp"
#include "cli/state_reader.hpp"

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>

namespace CLI {
class App;
}

namespace helios::cli {

struct RefusalsOptions {
  bool is_asked_for = false;  // false: the command line asks for something else
  AdminOptions admin;
  std::string tenant;  // empty, here and below: whoever's
  std::string user;
  std::string plugin;
  std::string since;  // as parse_since() takes it; empty: from the first
  std::int64_t limit = 100;
  bool as_json = false;  // a JSON object a line
  bool follow = false;   // goes on with those that come
};

// Adds the subcommand `refusals` to `app`. Parsing fills `options`, which outlives `app`.
void declare_refusals(CLI::App& app, RefusalsOptions& options);

// Prints them to `out`, the oldest first. With `follow`, calls `wait` between two questions, and ends when that returns
// false or `out` takes no more. Errors: one line for the user.
[[nodiscard]] base::Result<void> run_refusals(const RefusalsOptions& options, const AskAdmin& ask,
                                              std::ostream& out, const std::function<bool()>& wait,
                                              std::int64_t now_ms);

}  // namespace helios::cli
