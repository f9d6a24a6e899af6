// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_command.hpp"

#include "cli/audit_events.hpp"
#include "cli/audit_search.hpp"
#include "cli/audit_verify.hpp"
#include "cli/audit_why.hpp"

namespace helios::cli {

base::Result<void> run_audit(const AuditOptions& options, const AuditPorts& ports) {
  switch (options.verb) {
    case AuditVerb::none: break;
    case AuditVerb::verify: return verify_audit(options, ports);
    case AuditVerb::head: return print_audit_head(options, ports);
    case AuditVerb::search: return search_audit(options, ports);
    case AuditVerb::why: return explain_request(options, ports);
    case AuditVerb::events: return print_audit_events(options, ports);
  }
  return base::fail(base::Errc::invalid, "nothing to do");
}

}  // namespace helios::cli
