// SPDX-License-Identifier: Apache-2.0

#include "config/admin_section.hpp"

#include "base/text.hpp"
#include "config/tls_section.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace helios::config {
namespace {

constexpr std::size_t kMaxTokenNameBytes = 64;
constexpr std::size_t kSha256Digits = 64;
// What `printf %s "$UNSET" | sha256sum` gives.
constexpr std::string_view kSha256OfNothing =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

bool is_hex_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

bool is_name_character(char c) {
  return is_hex_digit(c) || (c >= 'g' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("-_.@").contains(c);
}

void check_name(TomlSection& section, const std::string& name, const Admin& admin) {
  if (!section.has("name")) return section.add_own_problem("needs a name");
  if (name.empty() || name.size() > kMaxTokenNameBytes ||
      !std::ranges::all_of(name, is_name_character)) {
    section.add_problem("name", "must be 1 to 64 letters, digits, '-', '_', '.' and '@'");
  }
  if (std::ranges::find(admin.tokens, name, &AdminToken::name) != admin.tokens.end()) {
    section.add_problem("name", "another token has that name");
  }
}

void check_source(TomlSection& section, AdminToken& token) {
  if (section.has("sha256") == section.has("file")) {
    return section.add_own_problem("needs either sha256 or file");
  }
  if (section.has("file")) {
    if (token.file.empty()) section.add_problem("file", "must not be empty");
    return;
  }
  token.sha256 = base::to_lower(token.sha256);
  if (token.sha256.size() != kSha256Digits || !std::ranges::all_of(token.sha256, is_hex_digit)) {
    section.add_problem("sha256", "must be 64 hex digits: printf %s TOKEN | sha256sum");
  } else if (token.sha256 == kSha256OfNothing) {
    section.add_problem("sha256", "is the hash of an empty token");
  }
}

void read_scopes(TomlSection& section, AdminToken& token) {
  std::vector<std::string> scopes;
  section.texts("scopes", scopes);
  if (!section.has("scopes")) return section.add_own_problem("needs scopes");
  for (const auto& scope : scopes) {
    if (scope == "read") {
      token.may_read = true;
    } else if (scope == "write") {
      token.may_write = true;
    } else {
      section.add_problem("scopes",
                          base::escape_for_log(scope) + ": must be \"read\" or \"write\"");
    }
  }
  if (section.has_empty_array("scopes"))
    section.add_problem("scopes", "must name at least one of \"read\", \"write\"");
}

void read_token(TomlSection& section, Admin& out) {
  AdminToken token;
  section.text("name", token.name);
  section.text("sha256", token.sha256);
  section.text("file", token.file);
  check_name(section, token.name, out);
  check_source(section, token);
  read_scopes(section, token);
  section.texts("namespaces", token.namespaces);
  if (section.has_empty_array("namespaces")) {
    // Read as "everything" it would surprise whoever meant "nothing".
    section.add_problem("namespaces", "must name at least one; leave the key out for all");
  }
  for (const std::string_view key : {"namespaces", "file", "sha256", "name"}) {
    if (section.has(key)) token.origin = section.place(key);
  }
  section.finish();
  out.tokens.push_back(std::move(token));
}

void read_limits(TomlSection section, AdminLimits& out) {
  constexpr std::uint32_t kHourMs = 3'600'000;
  section.integer("max_body_bytes", out.max_body_bytes, std::uint64_t{1}, std::uint64_t{256} << 20);
  section.integer("max_header_bytes", out.max_header_bytes, 1024U, 4U << 20);
  section.integer("max_connections", out.max_connections, 1U, 10'000U);
  section.integer("max_peer_connections", out.max_peer_connections, 1U, 10'000U);
  section.integer("handshake_timeout_ms", out.handshake_timeout_ms, 1U, kHourMs);
  section.integer("request_timeout_ms", out.request_timeout_ms, 1U, kHourMs);
  section.integer("response_timeout_ms", out.response_timeout_ms, 1U, kHourMs);
  section.integer("idle_timeout_ms", out.idle_timeout_ms, 1U, kHourMs);
  section.finish();
}

}  // namespace

void read_admin_access(TomlSection& section, Admin& out) {
  read_certificate_files(section, "tls_certificate", "tls_key", out.tls);
  section.boolean("allow_plaintext", out.allow_plaintext);
  section.tables("tokens", [&out](TomlSection& token) { read_token(token, out); });
  read_limits(section.section("limits"), out.limits);
}

base::Result<void> check_admin(const Admin& admin) {
  std::string problems;
  const auto add = [&problems](const Address& address, std::string_view what) {
    problems += (problems.empty() ? "" : "\n") + to_string(address) + ": " + std::string(what);
  };
  for (const auto& address : admin.addresses) {
    if (is_loopback(address)) continue;
    if (admin.tokens.empty()) {
      add(address, "an address beyond loopback needs [[admin.tokens]]");
    } else if (admin.tls.certificate.empty() && !admin.allow_plaintext) {
      add(address,
          "tokens would cross the network in clear: needs tls_certificate and tls_key, or "
          "allow_plaintext = true");
    }
  }
  if (problems.empty()) return {};
  return base::fail(base::Errc::invalid, std::move(problems));
}

}  // namespace helios::config
