// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_command.hpp"

#include "cli/audit_verify.hpp"

namespace helios::cli {

base::Result<void> run_audit(const AuditOptions& options, const AuditPorts& ports) {
  switch (options.verb) {
    case AuditVerb::none: break;
    case AuditVerb::verify: return verify_audit(options, ports);
    case AuditVerb::head: return print_audit_head(options, ports);
  }
  return base::fail(base::Errc::invalid, "nothing to do");
}

}  // namespace helios::cli
