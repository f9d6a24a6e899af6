// SPDX-License-Identifier: Apache-2.0
#pragma once

// `heliosproxy audit verify` and `heliosproxy audit head`: is the trail whole, and where does it end? Both also know the
// chain in keys that versions of the plugin up to 0.4.0 wrote.

#include "base/result.hpp"
#include "cli/audit_options.hpp"
#include "cli/audit_ports.hpp"

namespace helios::cli {

// Prints what it found. Errors: one line for the user; a broken chain is one, and names the record.
[[nodiscard]] base::Result<void> verify_audit(const AuditOptions& options, const AuditPorts& ports);

// Prints NUMBER:SHA256 of the newest record. Errors: one line for the user.
[[nodiscard]] base::Result<void> print_audit_head(const AuditOptions& options,
                                                  const AuditPorts& ports);

}  // namespace helios::cli
