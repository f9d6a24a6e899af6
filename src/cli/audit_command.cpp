// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_command.hpp"

#include "admin/stream_page.hpp"
#include "cli/audit_chain.hpp"
#include "cli/audit_trail.hpp"
#include "cli/json_answer.hpp"
#include "cli/stream_reader.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <fstream>
#include <istream>
#include <optional>
#include <ostream>
#include <string_view>
#include <utility>

namespace helios::cli {
namespace {

constexpr std::uint64_t kPageBytes = 4ULL << 20;
constexpr std::string_view kCarriedKey = "carried";  // no part of the chain in keys

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

// The chain in keys, as versions up to 0.4.0 wrote it. What it prints goes to `out`; returns its newest record.
base::Result<ChainLink> verify_keys(const AuditOptions& options, const AskAdmin& ask,
                                    std::istream& in, std::ostream& out) {
  auto verifier = make_verifier(options);
  if (!verifier) return std::unexpected(verifier.error());
  std::int64_t records = 0;
  const auto read = read_chain(options, ask, in, [&](const Entry& entry) -> base::Result<void> {
    if (entry.plugin != options.plugin || entry.key == kCarriedKey) return {};
    records += entry.key.starts_with("rec:") ? 1 : 0;
    return verifier->add(entry.key, entry.value);
  });
  if (!read) return std::unexpected(read.error());
  auto last = verifier->finish();
  if (!last) return last;
  out << records << " records, none changed, missing or out of place; the newest is "
      << format_link(*last) << '\n';
  return last;
}

bool has_key(const AuditOptions& options, const AskAdmin& ask, std::string_view key) {
  admin::Request request;
  request.target = target_of(options.plugin, key);
  return checked(ask(request)).has_value();
}

// Whether there is a trail: versions up to 0.4.0 wrote none.
base::Result<bool> has_stream(const AuditOptions& options, const AskAdmin& ask) {
  const auto page = read_page(ask, options.plugin, kTrailStream, {.max_records = 1});
  if (page) return true;
  return page.error().code == base::Errc::not_found ? base::Result<bool>(false)
                                                    : std::unexpected(page.error());
}

base::Result<void> read_trail(const AuditOptions& options, const AskAdmin& ask,
                              std::optional<TrailVerifier>& verifier, kv::StreamExtent& extent) {
  kv::StreamRange range{.max_records = admin::kMaxRecordLimit, .max_bytes = kPageBytes};
  for (;;) {
    const auto answer = read_page(ask, options.plugin, kTrailStream, range);
    if (!answer) return std::unexpected(answer.error());
    if (!verifier) {
      verifier.emplace(answer->plugin);
      for (const std::string& text : options.anchors) {
        const auto anchor = parse_link(text);
        if (!anchor) return base::fail(anchor.error().code, "--anchor: " + anchor.error().message);
        verifier->expect(*anchor);
      }
    }
    if (auto added = verifier->add(answer->page); !added) return added;
    extent = answer->page.extent;
    range.from = answer->next_from;
    if (answer->page.records.empty() || range.from >= extent.next) return {};
  }
}

base::Result<void> verify_trail(const AuditOptions& options, const AskAdmin& ask, std::istream& in,
                                std::ostream& out) {
  std::optional<ChainLink> before;
  if (has_key(options, ask, "head")) {
    AuditOptions older = options;
    older.anchors.clear();
    const auto last = verify_keys(older, ask, in, out);
    if (!last) return std::unexpected(last.error());
    before = *last;
    out << "that is the chain in keys of an older version; what follows is the trail\n";
  }
  std::optional<TrailVerifier> verifier;
  kv::StreamExtent extent;
  if (auto read = read_trail(options, ask, verifier, extent); !read) return read;
  if (auto finished = verifier->finish(extent, before); !finished) return finished;
  out << verifier->summary();
  return {};
}

base::Result<void> verify(const AuditOptions& options, const AskAdmin& ask, std::istream& in,
                          std::ostream& out) {
  if (options.file.empty()) {
    const auto has_trail = has_stream(options, ask);
    if (!has_trail) return std::unexpected(has_trail.error());
    if (*has_trail) return verify_trail(options, ask, in, out);
  }
  const auto last = verify_keys(options, ask, in, out);
  return last ? base::Result<void>() : std::unexpected(last.error());
}

base::Result<void> print_trail_head(const AuditOptions& options, const AskAdmin& ask,
                                    std::ostream& out) {
  const auto first = read_page(ask, options.plugin, kTrailStream, {.max_records = 1});
  if (!first) return std::unexpected(first.error());
  const kv::RecordNumber last = std::max<kv::RecordNumber>(first->page.extent.next, 2) - 1;
  const auto page = read_page(ask, options.plugin, kTrailStream, {.from = last, .max_records = 1});
  if (!page) return std::unexpected(page.error());
  if (page->page.records.empty()) return base::fail(base::Errc::not_found, "the trail is empty");
  const kv::StreamRecord& record = page->page.records.front();
  out << format_link({static_cast<std::int64_t>(record.number), base::to_hex(record.digest)})
      << '\n';
  return {};
}

base::Result<void> print_keys_head(const AuditOptions& options, const AskAdmin& ask,
                                   std::ostream& out) {
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

base::Result<void> print_head(const AuditOptions& options, const AskAdmin& ask, std::ostream& out) {
  const auto has_trail = has_stream(options, ask);
  if (!has_trail) return std::unexpected(has_trail.error());
  return *has_trail ? print_trail_head(options, ask, out) : print_keys_head(options, ask, out);
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
