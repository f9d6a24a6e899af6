// SPDX-License-Identifier: Apache-2.0
#pragma once

// `heliosproxy audit events`: what a trail says of what happened beside statements.

#include "base/result.hpp"
#include "cli/audit_options.hpp"
#include "cli/audit_ports.hpp"

namespace helios::cli {

// Prints a line for each event: time, record, kind and what it tells; with StatementFormat::jsonl a JSON object.
[[nodiscard]] base::Result<void> print_audit_events(const AuditOptions& options,
                                                    const AuditPorts& ports);

}  // namespace helios::cli
