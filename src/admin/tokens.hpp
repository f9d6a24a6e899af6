// SPDX-License-Identifier: Apache-2.0
#pragma once

// The bearer tokens of [[admin.tokens]] and what each is good for. A token itself is never kept, only
// its SHA-256: digests are of one length and tell nothing about each other, so comparing them in
// constant time hides how close a guess was.

#include "base/result.hpp"
#include "base/sha256.hpp"
#include "config/config.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace helios::admin {

enum class Scope { read, write };

// "read" or "write", as in the configuration.
[[nodiscard]] std::string_view scope_name(Scope scope);

// What somebody may do.
struct Grant {
  std::string name;  // of the token; empty: none is needed
  bool may_read = false;
  bool may_write = false;
  std::vector<std::string> namespaces;  // whose keys; empty: everything, beyond keys as well

  [[nodiscard]] bool allows(Scope scope) const {
    return scope == Scope::read ? may_read : may_write;
  }
  [[nodiscard]] bool covers_everything() const { return namespaces.empty(); }
  [[nodiscard]] bool covers(std::string_view namespace_name) const;
};

// What everybody may do where no tokens are configured.
[[nodiscard]] const Grant& unlimited_grant();

// Whether `text` has the form of a bearer token (RFC 6750, b64token).
[[nodiscard]] bool is_bearer_token(std::string_view text);

// Thread rule: immutable.
class TokenSet {
 public:
  // Reads the token files too. Errors: those of config::read_secret_file(), invalid (a token that is
  // too short or no token, two equal ones, a namespace that cannot be); one line for each
  // token that is wrong, which begins with its place in the configuration.
  [[nodiscard]] static base::Result<std::shared_ptr<const TokenSet>> load(
      const config::Admin& admin);

  // No tokens: none is asked for.
  [[nodiscard]] bool empty() const { return entries_.empty(); }

  // What the token grants, nullptr when there is no such token. Compares with every token, whether
  // one has matched or not. The result lives as long as the set.
  [[nodiscard]] const Grant* find(std::string_view token) const;

 private:
  using Digest = base::Sha256Digest;
  struct Entry {
    Digest digest;
    Grant grant;
  };

  static Digest digest_of(std::string_view token);
  static Digest digest_from_hex(std::string_view hex);
  static base::Result<Digest> read_digest(const config::AdminToken& token);
  static base::Result<Grant> read_grant(const config::AdminToken& token);
  base::Result<void> add(const config::AdminToken& token);

  std::vector<Entry> entries_;
};

}  // namespace helios::admin
