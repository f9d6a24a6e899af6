// SPDX-License-Identifier: Apache-2.0
#pragma once

// The options at the end of a record of pg_hba.conf: name=value.
//
//   map=NAME                        peer, cert: the map of pg_ident.conf
//   clientcert=verify-ca|verify-full  hostssl, any method; cert has verify-full, said or not
//   clientname=CN|DN                where the certificate's name is compared: cert, or clientcert=verify-full
//
// Stricter than PostgreSQL: an option said twice, an empty map and a clientname that nothing looks at are errors.

#include "auth/host_rule.hpp"
#include "auth/rule_problems.hpp"
#include "auth/rule_tokens.hpp"

#include <span>

namespace helios::auth {

// `rule` has its type and method already. What is wrong goes into `problems`.
void read_host_rule_options(std::span<const RuleField> fields, HostRule& rule,
                            RuleProblems& problems);

}  // namespace helios::auth
