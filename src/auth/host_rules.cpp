// SPDX-License-Identifier: Apache-2.0

#include "auth/host_rules.hpp"

#include "auth/host_rule_reader.hpp"
#include "auth/rule_file.hpp"

#include <utility>

namespace helios::auth {

base::Result<std::shared_ptr<const HostRules>> HostRules::read(const std::string& path,
                                                               const FileReader& files) {
  RuleProblems problems;
  std::vector<HostRule> rules;
  const auto done = read_rule_file(path, files, problems, [&](const RuleRecord& record) {
    rules.push_back(read_host_rule(record, problems));
  });
  if (!done) return std::unexpected(done.error());
  if (rules.empty() && !problems.any()) {
    problems.add({.file = std::make_shared<const std::string>(path)},
                 "the file has no rules: nobody could log in");
  }
  if (problems.any()) return base::fail(base::Errc::invalid, problems.message());
  return std::shared_ptr<const HostRules>(new HostRules(std::move(rules)));
}

base::Result<std::shared_ptr<const HostRules>> HostRules::load(const std::string& path) {
  return read(path, real_files());
}

const HostRule* HostRules::find(const Login& login) const {
  const auto address = login.is_unix ? std::nullopt : IpAddress::parse_client(login.address);
  for (const auto& rule : rules_) {
    if (rule.fits(login, address)) return &rule;
  }
  return nullptr;
}

}  // namespace helios::auth
