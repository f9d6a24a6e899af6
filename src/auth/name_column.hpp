// SPDX-License-Identifier: Apache-2.0
#pragma once

// A column of names, of databases or users, in pg_hba.conf or pg_ident.conf. What PostgreSQL would have to look up, or
// reads as a regular expression of its own kind, is an error: passed over, it could let in whom it was to keep out.

#include "auth/host_rule.hpp"
#include "auth/rule_problems.hpp"
#include "auth/rule_tokens.hpp"

#include <span>

namespace helios::auth {

enum class NameColumn { databases, users };

// "all" and names. What is wrong goes into `problems`.
[[nodiscard]] NameSet read_names(std::span<const RuleToken> tokens, NameColumn column,
                                 RuleProblems& problems);

// Whether `token` can stand for a name; otherwise why not goes into `problems`. A regular expression begins with '/', also
// within quotes: so PostgreSQL has it.
bool check_name(const RuleToken& token, RuleProblems& problems);

}  // namespace helios::auth
