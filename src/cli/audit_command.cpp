// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_command.hpp"

#include "cli/audit_chain.hpp"
#include "cli/json_answer.hpp"

#include <CLI/CLI.hpp>

#include <fstream>
#include <istream>
#include <ostream>
#include <utility>

namespace helios::cli {
namespace {

base::Result<ChainVerifier> make_verifier(const AuditOptions& options) {
  ChainLink start;
  if (!options.after.empty()) {
    auto after = parse_link(options.after);
    if (!after) return base::fail(after.error().code, "--after: " + after.error().message);
    start = std::move(*after);
  }
  ChainVerifier verifier(start);
  for (const std::string& text : options.anchors) {
    const auto anchor = parse_link(text);
    if (!anchor) return base::fail(anchor.error().code, "--anchor: " + anchor.error().message);
    if (auto taken = verifier.expect(*anchor); !taken) return std::unexpected(taken.error());
  }
  return verifier;
}

base::Result<void> read_chain(const AuditOptions& options, const AskAdmin& ask, std::istream& in,
                              const OnEntry& on_entry) {
  if (options.file.empty()) return read_entries(ask, options.plugin, "", on_entry);
  if (options.file == "-") return read_export(in, on_entry);
  std::ifstream file(options.file, std::ios::binary);
  if (!file) return base::fail(base::Errc::not_found, options.file + ": cannot be opened");
  return read_export(file, on_entry);
}

base::Result<void> verify(const AuditOptions& options, const AskAdmin& ask, std::istream& in,
                          std::ostream& out) {
  auto verifier = make_verifier(options);
  if (!verifier) return std::unexpected(verifier.error());
  std::int64_t records = 0;
  const auto read = read_chain(options, ask, in, [&](const Entry& entry) -> base::Result<void> {
    if (entry.plugin != options.plugin) return {};
    records += entry.key.starts_with("rec:") ? 1 : 0;
    return verifier->add(entry.key, entry.value);
  });
  if (!read) return read;
  const auto last = verifier->finish();
  if (!last) return std::unexpected(last.error());
  out << records << " records, none changed, missing or out of place; the newest is "
      << format_link(*last) << '\n';
  return {};
}

base::Result<void> print_head(const AuditOptions& options, const AskAdmin& ask, std::ostream& out) {
  admin::Request request;
  request.target = target_of(options.plugin, "head");
  request.accept = "application/octet-stream";
  const auto response = checked(ask(request));
  if (!response) return std::unexpected(response.error());
  const auto object = parse_object(response->body);
  if (!object) return base::fail(object.error().code, "the head " + object.error().message);
  const auto link = parse_link(std::to_string(number_of(*object, "seq").value_or(0)) + ':' +
                               text_of(*object, "sha256"));
  if (!link) return base::fail(base::Errc::invalid, "the head cannot be read: it was edited");
  out << format_link(*link) << '\n';
  return {};
}

}  // namespace

void declare_audit(CLI::App& app, AuditOptions& options) {
  CLI::App* audit = app.add_subcommand("audit", "Look after the chain of the audit-chain plugin");
  audit->require_subcommand(1);
  audit->fallthrough();
  declare_admin(*audit, options.admin);
  audit->add_option("--plugin", options.plugin, "The plugin's name")->capture_default_str();
  CLI::App* verify = audit->add_subcommand("verify", "Check that no record was changed");
  verify->add_option("FILE", options.file,
                     "What `heliosproxy kv export` printed; - is standard input; none: the proxy");
  verify->add_option("--after", options.after,
                     "NUMBER:SHA256 of the record before the first one, where older ones are gone");
  verify->add_option("--anchor", options.anchors,
                     "NUMBER:SHA256 of a record that must be there; may be repeated");
  verify->callback([&options] { options.verb = AuditVerb::verify; });
  CLI::App* head = audit->add_subcommand("head", "Print NUMBER:SHA256 of the newest record");
  head->callback([&options] { options.verb = AuditVerb::head; });
}

base::Result<void> run_audit(const AuditOptions& options, const AskAdmin& ask, std::istream& in,
                             std::ostream& out) {
  switch (options.verb) {
    case AuditVerb::none: break;
    case AuditVerb::verify: return verify(options, ask, in, out);
    case AuditVerb::head: return print_head(options, ask, out);
  }
  return base::fail(base::Errc::invalid, "nothing to do");
}

}  // namespace helios::cli
