// SPDX-License-Identifier: Apache-2.0
#pragma once

// `heliosproxy audit ...`: what can be asked for.

#include "cli/admin_options.hpp"

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace helios::cli {

enum class AuditVerb { none, verify, head };

struct AuditOptions {
  AuditVerb verb = AuditVerb::none;  // none: the command line asks for something else
  AdminOptions admin;
  std::string plugin = "audit-chain";
  std::string file;                  // verify: an export instead of a proxy; "-" = standard input
  std::string after;                 // verify: the record before the first, as `head` prints it
  std::vector<std::string> anchors;  // verify: records that must be there
};

// Adds the subcommand `audit` to `app`. Parsing fills `options`, which outlives `app`.
void declare_audit(CLI::App& app, AuditOptions& options);

}  // namespace helios::cli
