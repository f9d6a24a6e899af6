// SPDX-License-Identifier: Apache-2.0
#pragma once

// pg_hba.conf as PostgreSQL 17 reads it (manual, 21.1): which clients may log in, and how they are authenticated. The first
// rule that fits decides; where none does, the client is rejected.
//
//   types      local host hostssl hostnossl hostnogssenc
//   databases  all sameuser replication, names, @FILE
//   users      all, names, @FILE
//   addresses  all, an address with the length of its mask, an address and a mask
//   methods    trust reject password md5 scram-sha-256 cert peer, and one of ours: passthrough
//   options    map, clientcert, clientname
//   lines      as rule_file.hpp says: comments, quotes, lists, continuation, include
//
// What PostgreSQL knows beyond that is an error that names it: hostgssenc, samerole and +role, regular expressions, host
// names, samehost and samenet, the other methods and their options. No rule is passed over: it could be the one that rejects.
//
// Thread rule: rules are never changed once they are read; any thread.

#include "auth/file_reader.hpp"
#include "auth/host_rule.hpp"
#include "base/result.hpp"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace helios::auth {

class HostRules {
 public:
  // The rules of `path` and what it includes. Errors: those of `files.read` for `path` itself; invalid, with all that is
  // wrong, as "FILE:LINE:COLUMN: what is wrong and what to do", one a line, at most 50. As in PostgreSQL, a file
  // without any rule is an error.
  [[nodiscard]] static base::Result<std::shared_ptr<const HostRules>> read(const std::string& path,
                                                                           const FileReader& files);
  // The same from the file system.
  [[nodiscard]] static base::Result<std::shared_ptr<const HostRules>> load(const std::string& path);

  // The first rule that fits; null: none does, which is a rejection. Lives as long as this. An IPv4 address that came as
  // an IPv6 one is the IPv4 address. An address that is none fits no rule.
  [[nodiscard]] const HostRule* find(const Login& login) const;

  // In the order in which they are tried; never empty.
  [[nodiscard]] std::span<const HostRule> rules() const { return rules_; }

 private:
  explicit HostRules(std::vector<HostRule> rules) : rules_(std::move(rules)) {}

  std::vector<HostRule> rules_;
};

}  // namespace helios::auth
