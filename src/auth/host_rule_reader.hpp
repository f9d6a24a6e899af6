// SPDX-License-Identifier: Apache-2.0
#pragma once

// A record of fields as a rule of pg_hba.conf.

#include "auth/host_rule.hpp"
#include "auth/rule_file.hpp"
#include "auth/rule_problems.hpp"

namespace helios::auth {

// What is wrong goes into `problems`, as much of it as can be told; the rule is of no use then.
[[nodiscard]] HostRule read_host_rule(const RuleRecord& record, RuleProblems& problems);

}  // namespace helios::auth
