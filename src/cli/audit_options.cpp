// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_options.hpp"

#include <CLI/CLI.hpp>

#include <cstdint>
#include <map>
#include <string>

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
  verify
      .add_option("--anchors", options.anchor_files,
                  "A file to which [[state.anchors]] adds; may be repeated")
      ->allow_extra_args(false);
  add_verb(audit, options, AuditVerb::head, "head", "Print NUMBER:SHA256 of the newest record");
}

void declare_span(CLI::App& command, AuditOptions& options) {
  command.add_option(
      "--since", options.since,
      "Only what began, or happened, then or later: 10m ago, or 2026-10-03T12:00:00Z");
  command.add_option("--until", options.until, "Only what began, or happened, before that moment");
}

void declare_filter(CLI::App& command, StatementFilter& filter) {
  command.add_option("--tenant", filter.tenant, "Only of this tenant");
  command.add_option("--user", filter.user, "Only of this user");
  command.add_option("--agent", filter.agent, "Only of this agent");
  command.add_option("--database", filter.database, "Only in this database");
  command.add_option("--session", filter.session, "Only of this session, by its id");
  command.add_option("--application", filter.application, "Only of this application_name");
  command.add_option("--client", filter.client, "Only from this address");
  command
      .add_option("--outcome", filter.outcomes,
                  "Only with this outcome; \"open\": none is known; may be repeated")
      ->check(CLI::IsMember(outcome_names()))
      ->allow_extra_args(false);
  command.add_option("--sqlstate", filter.sqlstate, "Only that ended with this SQLSTATE");
  command.add_option("--fingerprint", filter.fingerprint, "Only with this fingerprint");
  command.add_option("--contains", filter.contains,
                     "Only with this in the text, in capitals or not");
}

void declare_search(CLI::App& audit, AuditOptions& options) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 62;
  for (const bool follow : {false, true}) {
    CLI::App& command = follow
                            ? add_verb(audit, options, AuditVerb::search, "follow",
                                       "The same, and go on with what comes, until it is stopped")
                            : add_verb(audit, options, AuditVerb::search, "search",
                                       "Print statements: who, what, and what became of it");
    if (follow) {
      command.callback([&options] {
        options.verb = AuditVerb::search;
        options.follow = true;
      });
      command.add_option("--since", options.since, "Only what began then or later");
    } else {
      declare_span(command, options);
    }
    declare_filter(command, options.filter);
    command.add_option("--limit", options.limit, "At most so many")
        ->check(CLI::Range(std::uint64_t{1}, kMost));
    command.add_flag_callback(
        "--json", [&options] { options.format = StatementFormat::jsonl; },
        "A JSON object for each, one a line");
  }
}

void declare_export(CLI::App& audit, AuditOptions& options) {
  CLI::App& command = add_verb(audit, options, AuditVerb::search, "export",
                               "Print all statements for another program");
  command.callback([&options] {
    options.verb = AuditVerb::search;
    if (options.format == StatementFormat::text) options.format = StatementFormat::jsonl;
  });
  declare_span(command, options);
  declare_filter(command, options.filter);
  const std::map<std::string, StatementFormat> formats = {{"jsonl", StatementFormat::jsonl},
                                                          {"sql", StatementFormat::sql}};
  command
      .add_option("--format", options.format,
                  "jsonl: a JSON object a line; sql: a script for psql that fills a table")
      ->transform(CLI::CheckedTransformer(formats));
  command.add_flag("--records", options.records,
                   "The records as they stand in the trail, all of them");
}

void declare_why(CLI::App& audit, AuditOptions& options) {
  CLI::App& command = add_verb(audit, options, AuditVerb::why, "why",
                               "Print everything that is known about one request");
  command.add_option("REQUEST", options.request, "Its id, as the error and the log have it")
      ->required();
  command.add_option("--since", options.since,
                     "How far back to look for it: 10m, 30d, or a time; a day if left out");
}

void declare_events(CLI::App& audit, AuditOptions& options) {
  CLI::App& command =
      add_verb(audit, options, AuditVerb::events, "events",
               "Print what happened beside statements: starts, reloads, logins denied, ...");
  declare_span(command, options);
  command.add_option("--event", options.event, "Only of this kind, such as login_denied");
  command.add_flag_callback(
      "--json", [&options] { options.format = StatementFormat::jsonl; },
      "A JSON object for each, one a line");
}

}  // namespace

void declare_audit(CLI::App& app, AuditOptions& options) {
  CLI::App* audit = app.add_subcommand("audit", "Work with the trail of the audit-chain plugin");
  audit->require_subcommand(1);
  audit->fallthrough();
  declare_admin(*audit, options.admin);
  audit->add_option("--plugin", options.plugin, "The plugin's name")->capture_default_str();
  declare_checks(*audit, options);
  declare_search(*audit, options);
  declare_export(*audit, options);
  declare_why(*audit, options);
  declare_events(*audit, options);
}

}  // namespace helios::cli
