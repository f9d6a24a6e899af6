// SPDX-License-Identifier: Apache-2.0
#pragma once

// `heliosproxy audit ...`: what can be asked for.

#include "cli/admin_options.hpp"
#include "cli/statement_filter.hpp"
#include "cli/statement_writer.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace helios::cli {

enum class AuditVerb { none, verify, head, search, why, events };

struct AuditOptions {
  AuditVerb verb = AuditVerb::none;  // none: the command line asks for something else
  AdminOptions admin;
  std::string plugin = "audit-chain";
  std::string file;                  // verify: an export instead of a proxy; "-" = standard input
  std::string after;                 // verify: the record before the first, as `head` prints it
  std::vector<std::string> anchors;  // verify: records that must be there
  std::vector<std::string> anchor_files;  // verify: files of such, as [[state.anchors]] makes them
  // Of the verb `search`, as which follow and export run too.
  StatementFilter filter;
  StatementFormat format = StatementFormat::text;
  std::string until;        // as parse_moment() takes it; empty: to the end
  std::uint64_t limit = 0;  // at most so many statements; 0: all
  bool follow = false;      // goes on with what comes
  bool records = false;     // as they stand in the trail, not joined
  // Of search and why.
  std::string
      since;  // as parse_moment() takes it; empty: from the first record, why: of the last day
  std::string request;  // why: whose id
  std::string event;    // events: only of this kind; empty: all
};

// Adds the subcommand `audit` to `app`. Parsing fills `options`, which outlives `app`.
void declare_audit(CLI::App& app, AuditOptions& options);

}  // namespace helios::cli
