// SPDX-License-Identifier: Apache-2.0
#include "admin/tokens.hpp"

#include "config/secret_file.hpp"
#include "kv/namespace_name.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace helios::admin {
namespace {

constexpr std::size_t kMinTokenBytes = 32;  // 128 bits in hex digits
constexpr std::size_t kMaxTokenFileBytes = 4096;

std::unexpected<base::Error> fail_at(const config::AdminToken& token, const std::string& reason,
                                     base::Errc code = base::Errc::invalid) {
  return base::fail(code, token.origin + ": " + reason);
}

// Editors and `openssl rand` end a file with a newline.
std::string_view without_line_end(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string_view scope_name(Scope scope) { return scope == Scope::read ? "read" : "write"; }

bool Grant::covers(std::string_view namespace_name) const {
  return covers_everything() || std::ranges::find(namespaces, namespace_name) != namespaces.end();
}

const Grant& unlimited_grant() {
  static const Grant grant{.name = "", .may_read = true, .may_write = true, .namespaces = {}};
  return grant;
}

bool is_bearer_token(std::string_view text) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~+/").contains(c);
  };
  const std::string_view body = text.substr(0, text.find_last_not_of('=') + 1);
  return !body.empty() && std::ranges::all_of(body, is_allowed);
}

TokenSet::Digest TokenSet::digest_of(std::string_view token) {
  base::Sha256 sha;
  sha.update(token);
  return sha.finish();
}

// Requires: hex digits, as the configuration has seen to.
TokenSet::Digest TokenSet::digest_from_hex(std::string_view hex) {
  Digest digest{};
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const std::string_view pair = hex.substr(2 * i, 2);
    std::from_chars(pair.data(), pair.data() + pair.size(), digest[i], 16);
  }
  return digest;
}

base::Result<TokenSet::Digest> TokenSet::read_digest(const config::AdminToken& token) {
  if (token.file.empty()) return digest_from_hex(token.sha256);
  auto content = config::read_secret_file(token.file, kMaxTokenFileBytes);
  if (!content) return fail_at(token, content.error().message, content.error().code);
  const std::string_view secret = without_line_end(*content);
  Digest digest = digest_of(secret);
  const bool is_long = secret.size() >= kMinTokenBytes;
  const bool is_token = is_bearer_token(secret);
  OPENSSL_cleanse(content->data(), content->size());
  if (!is_long) {
    return fail_at(token,
                   token.file + ": a token has at least 32 characters: openssl rand -hex 32");
  }
  if (!is_token) {
    return fail_at(token, token.file + ": a token is one line of letters, digits and \"-._~+/=\"");
  }
  return digest;
}

base::Result<Grant> TokenSet::read_grant(const config::AdminToken& token) {
  Grant grant{token.name, token.may_read, token.may_write, {}};
  for (const std::string& plugin : token.namespaces) {
    auto name = kv::namespace_name(plugin);
    if (!name) return fail_at(token, name.error().message);
    grant.namespaces.push_back(*std::move(name));
  }
  return grant;
}

base::Result<std::shared_ptr<const TokenSet>> TokenSet::load(const config::Admin& admin) {
  auto result = std::make_shared<TokenSet>();
  std::optional<base::Error> problem;
  for (const config::AdminToken& token : admin.tokens) {
    const auto added = result->add(token);
    if (added) continue;
    if (problem) {
      problem->message += "\n" + added.error().message;
    } else {
      problem = added.error();
    }
  }
  if (problem) return std::unexpected(*std::move(problem));
  return result;
}

base::Result<void> TokenSet::add(const config::AdminToken& token) {
  const auto digest = read_digest(token);
  if (!digest) return std::unexpected(digest.error());
  auto grant = read_grant(token);
  if (!grant) return std::unexpected(grant.error());
  const auto same = std::ranges::find(entries_, *digest, &Entry::digest);
  if (same != entries_.end()) return fail_at(token, "is the same token as " + same->grant.name);
  entries_.push_back({*digest, *std::move(grant)});
  return {};
}

const Grant* TokenSet::find(std::string_view token) const {
  const Digest digest = digest_of(token);
  const Grant* found = nullptr;
  for (const Entry& entry : entries_) {
    if (CRYPTO_memcmp(entry.digest.data(), digest.data(), digest.size()) == 0) found = &entry.grant;
  }
  return found;
}

}  // namespace helios::admin
