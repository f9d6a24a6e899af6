// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_verify.hpp"

#include "cli/audit_chain.hpp"
#include "cli/audit_trail.hpp"
#include "cli/json_answer.hpp"
#include "cli/stream_pages.hpp"
#include "kv/namespace_name.hpp"

#include <algorithm>
#include <fstream>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace helios::cli {
namespace {

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

base::Result<void> read_chain(const AuditOptions& options, const AuditPorts& ports,
                              const OnEntry& on_entry) {
  if (options.file.empty()) return read_entries(ports.state.ask, options.plugin, "", on_entry);
  if (options.file == "-") return read_export(ports.console.in, on_entry);
  std::ifstream file(options.file, std::ios::binary);
  if (!file) return base::fail(base::Errc::not_found, options.file + ": cannot be opened");
  return read_export(file, on_entry);
}

// The chain in keys, as versions up to 0.4.0 wrote it. Prints what it found; returns its newest record.
base::Result<ChainLink> verify_keys(const AuditOptions& options, const AuditPorts& ports) {
  auto verifier = make_verifier(options);
  if (!verifier) return std::unexpected(verifier.error());
  std::int64_t records = 0;
  const auto read = read_chain(options, ports, [&](const Entry& entry) -> base::Result<void> {
    if (entry.plugin != options.plugin || entry.key == kCarriedKey) return {};
    records += entry.key.starts_with("rec:") ? 1 : 0;
    return verifier->add(entry.key, entry.value);
  });
  if (!read) return std::unexpected(read.error());
  auto last = verifier->finish();
  if (!last) return last;
  ports.console.out << records << " records, none changed, missing or out of place; the newest is "
                    << format_link(*last) << '\n';
  return last;
}

bool has_key(const AuditOptions& options, const AuditPorts& ports, std::string_view key) {
  admin::Request request;
  request.target = target_of(options.plugin, key);
  return checked(ports.state.ask(request)).has_value();
}

// Whether there is a trail: versions up to 0.4.0 wrote none.
base::Result<bool> has_stream(const AuditOptions& options, const AuditPorts& ports) {
  const auto page = ports.state.read_page(options.plugin, kTrailStream, {.max_records = 1});
  if (page) return true;
  return page.error().code == base::Errc::not_found ? base::Result<bool>(false)
                                                    : std::unexpected(page.error());
}

base::Result<TrailAnchors> read_anchors(const AuditOptions& options, std::string_view space) {
  TrailAnchors anchors;
  for (const std::string& text : options.anchors) {
    const auto anchor = parse_link(text);
    if (!anchor) return base::fail(anchor.error().code, "--anchor: " + anchor.error().message);
    if (auto expected = anchors.expect(*anchor); !expected)
      return std::unexpected(expected.error());
  }
  for (const std::string& path : options.anchor_files) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return base::fail(base::Errc::not_found, path + ": cannot be opened");
    if (auto expected = anchors.expect_lines(file, path, space, kTrailStream); !expected)
      return std::unexpected(expected.error());
  }
  return anchors;
}

base::Result<void> read_trail(const AuditOptions& options, const AuditPorts& ports,
                              std::optional<TrailVerifier>& verifier, kv::StreamExtent& extent) {
  // Before the first page: one that is made meanwhile may name a record behind the last page.
  const auto space = kv::namespace_name(options.plugin);
  if (!space) return std::unexpected(space.error());
  auto anchors = read_anchors(options, *space);
  if (!anchors) return std::unexpected(anchors.error());
  StreamPages pages({.plugin = options.plugin, .stream = std::string(kTrailStream)},
                    ports.state.read_page);
  do {
    const auto answer = pages.next();
    if (!answer) return std::unexpected(answer.error());
    if (!verifier) {
      verifier.emplace(answer->plugin);
      verifier->hold_against(*std::move(anchors));
    }
    if (auto added = verifier->add(answer->page); !added) return added;
    extent = answer->page.extent;
  } while (!pages.is_complete());
  return {};
}

base::Result<void> verify_trail(const AuditOptions& options, const AuditPorts& ports) {
  std::ostream& out = ports.console.out;
  std::optional<ChainLink> before;
  if (has_key(options, ports, "head")) {
    AuditOptions older = options;
    older.anchors.clear();
    const auto last = verify_keys(older, ports);
    if (!last) return std::unexpected(last.error());
    before = *last;
    out << "that is the chain in keys of an older version; what follows is the trail\n";
  }
  std::optional<TrailVerifier> verifier;
  kv::StreamExtent extent;
  if (auto read = read_trail(options, ports, verifier, extent); !read) return read;
  if (auto finished = verifier->finish(extent, before); !finished) return finished;
  out << verifier->summary();
  return {};
}

base::Result<void> print_trail_head(const AuditOptions& options, const AuditPorts& ports) {
  const auto first = ports.state.read_page(options.plugin, kTrailStream, {.max_records = 1});
  if (!first) return std::unexpected(first.error());
  const kv::RecordNumber last = std::max<kv::RecordNumber>(first->page.extent.next, 2) - 1;
  const auto page =
      ports.state.read_page(options.plugin, kTrailStream, {.from = last, .max_records = 1});
  if (!page) return std::unexpected(page.error());
  if (page->page.records.empty()) return base::fail(base::Errc::not_found, "the trail is empty");
  const kv::StreamRecord& record = page->page.records.front();
  ports.console.out << format_link(
                           {static_cast<std::int64_t>(record.number), base::to_hex(record.digest)})
                    << '\n';
  return {};
}

base::Result<void> print_keys_head(const AuditOptions& options, const AuditPorts& ports) {
  admin::Request request;
  request.target = target_of(options.plugin, "head");
  request.accept = "application/octet-stream";
  const auto response = checked(ports.state.ask(request));
  if (!response) return std::unexpected(response.error());
  const auto object = parse_object(response->body);
  if (!object) return base::fail(object.error().code, "the head " + object.error().message);
  const auto link = parse_link(std::to_string(number_of(*object, "seq").value_or(0)) + ':' +
                               text_of(*object, "sha256"));
  if (!link) return base::fail(base::Errc::invalid, "the head cannot be read: it was edited");
  ports.console.out << format_link(*link) << '\n';
  return {};
}

}  // namespace

base::Result<void> verify_audit(const AuditOptions& options, const AuditPorts& ports) {
  if (options.file.empty()) {
    const auto has_trail = has_stream(options, ports);
    if (!has_trail) return std::unexpected(has_trail.error());
    if (*has_trail) return verify_trail(options, ports);
  }
  if (!options.anchor_files.empty())
    return base::fail(base::Errc::invalid,
                      "--anchors is about a trail, and this is a chain in keys: use --anchor");
  const auto last = verify_keys(options, ports);
  return last ? base::Result<void>() : std::unexpected(last.error());
}

base::Result<void> print_audit_head(const AuditOptions& options, const AuditPorts& ports) {
  const auto has_trail = has_stream(options, ports);
  if (!has_trail) return std::unexpected(has_trail.error());
  return *has_trail ? print_trail_head(options, ports) : print_keys_head(options, ports);
}

}  // namespace helios::cli
