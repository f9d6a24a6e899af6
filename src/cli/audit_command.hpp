// SPDX-License-Identifier: Apache-2.0
#pragma once

// Does what `heliosproxy audit ...` was asked for. Who answers its requests is not its business: a proxy elsewhere, a
// state directory, or a router in a test. Each verb has a file of its own.

#include "base/result.hpp"
#include "cli/audit_options.hpp"
#include "cli/audit_ports.hpp"

namespace helios::cli {

// Errors: one line for the user. What was printed before one stands.
[[nodiscard]] base::Result<void> run_audit(const AuditOptions& options, const AuditPorts& ports);

}  // namespace helios::cli
