// SPDX-License-Identifier: Apache-2.0

#include "auth/name_column.hpp"

#include <algorithm>
#include <string>

namespace helios::auth {
namespace {

// Words for what only the server knows: who is a member of which role.
bool asks_for_membership(const RuleToken& token, NameColumn column) {
  if (!token.is_quoted && token.text.starts_with('+')) return true;
  return column == NameColumn::databases &&
         (token.is_keyword("samerole") || token.is_keyword("samegroup"));
}

}  // namespace

bool check_name(const RuleToken& token, RuleProblems& problems) {
  if (token.text.starts_with('/')) {
    problems.add(token.place, "regular expressions are not supported here: write the names");
  } else if (token.text.empty()) {
    problems.add(token.place, "a name cannot be empty");
  } else {
    return true;
  }
  return false;
}

NameSet read_names(std::span<const RuleToken> tokens, NameColumn column, RuleProblems& problems) {
  NameSet set;
  for (const auto& token : tokens) {
    if (token.is_keyword("all")) {
      set.all = true;
    } else if (asks_for_membership(token, column)) {
      problems.add(token.place, in_quotes(token.text) +
                                    ": the proxy does not know who is a member of a role: write "
                                    "the names, or quote it if it is a name itself");
    } else if (check_name(token, problems)) {
      set.names.push_back(token.text);
    }
  }
  std::ranges::sort(set.names);
  return set;
}

}  // namespace helios::auth
