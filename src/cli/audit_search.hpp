// SPDX-License-Identifier: Apache-2.0
#pragma once

// `heliosproxy audit search`, `follow` and `export`: the statements of a trail that somebody wants, one after the other.

#include "base/result.hpp"
#include "cli/audit_options.hpp"
#include "cli/audit_ports.hpp"

namespace helios::cli {

// Reads from the first record that is not older than --since, which is found by its time, to the one that begins at --until;
// behind that it looks for the ends of what began before, in kMostBehind records at most. Memory is bounded
// (StatementJoiner). With --follow it goes on until the output takes no more.
//
// Formats: see make_writer(). With --records, each record as admin::record_line() has it. Errors: one line for the
// user. What was printed before one stands.
[[nodiscard]] base::Result<void> search_audit(const AuditOptions& options, const AuditPorts& ports);

}  // namespace helios::cli
