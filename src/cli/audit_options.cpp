// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_options.hpp"

#include <CLI/CLI.hpp>

namespace helios::cli {
namespace {

CLI::App& add_verb(CLI::App& audit, AuditOptions& options, AuditVerb verb, const std::string& name,
                   const std::string& what) {
  CLI::App* command = audit.add_subcommand(name, what);
  command->callback([&options, verb] { options.verb = verb; });
  return *command;
}

void declare_checks(CLI::App& audit, AuditOptions& options) {
  CLI::App& verify =
      add_verb(audit, options, AuditVerb::verify, "verify", "Check that no record was changed");
  verify.add_option("FILE", options.file,
                    "What `heliosproxy kv export` printed; - is standard input; none: the proxy");
  verify.add_option("--after", options.after,
                    "NUMBER:SHA256 of the record before the first one, where older ones are gone");
  verify.add_option("--anchor", options.anchors,
                    "NUMBER:SHA256 of a record that must be there; may be repeated");
  add_verb(audit, options, AuditVerb::head, "head", "Print NUMBER:SHA256 of the newest record");
}

}  // namespace

void declare_audit(CLI::App& app, AuditOptions& options) {
  CLI::App* audit = app.add_subcommand("audit", "Work with the trail of the audit-chain plugin");
  audit->require_subcommand(1);
  audit->fallthrough();
  declare_admin(*audit, options.admin);
  audit->add_option("--plugin", options.plugin, "The plugin's name")->capture_default_str();
  declare_checks(*audit, options);
}

}  // namespace helios::cli
