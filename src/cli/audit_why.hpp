// SPDX-License-Identifier: Apache-2.0
#pragma once

// `heliosproxy audit why`: everything that is known about one request, for a person.

#include "base/result.hpp"
#include "cli/audit_options.hpp"
#include "cli/audit_ports.hpp"

namespace helios::cli {

// Prints lines of a label and what it is, and a line "not known" for each thing that nobody knows, with the reason. Errors: one
// line for the user; invalid (no request id), not_found (nothing at all is known of it).
[[nodiscard]] base::Result<void> explain_request(const AuditOptions& options,
                                                 const AuditPorts& ports);

}  // namespace helios::cli
