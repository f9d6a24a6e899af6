// SPDX-License-Identifier: Apache-2.0
#include "fuzz/support/same_analysis.hpp"

#include <algorithm>

namespace helios::fuzz {
namespace {

bool same_change(const sql::SettingChange& a, const sql::SettingChange& b) {
  return a.kind == b.kind && a.name == b.name && a.value == b.value;
}

// Nobody looks at the places of a call that has a problem.
bool same_call(const sql::KvCall& a, const sql::KvCall& b, std::size_t shift) {
  if (a.form != b.form || a.problem != b.problem || a.has_alias != b.has_alias ||
      a.arguments.size() != b.arguments.size())
    return false;
  if (!a.problem.empty()) return true;
  const auto same_argument = [shift](const sql::KvArgument& x, const sql::KvArgument& y) {
    return x.constant == y.constant && x.begin + shift == y.begin && x.end + shift == y.end;
  };
  return a.begin + shift == b.begin && a.end + shift == b.end &&
         std::ranges::equal(a.arguments, b.arguments, same_argument);
}

}  // namespace

bool same_statement(const sql::Statement& a, const sql::Statement& b, std::size_t shift) {
  const auto calls = [shift](const sql::KvCall& x, const sql::KvCall& y) {
    return same_call(x, y, shift);
  };
  return a.begin + shift == b.begin && a.end + shift == b.end &&
         a.is_session_statement == b.is_session_statement && a.is_read_only == b.is_read_only &&
         a.name_op == b.name_op && a.name == b.name && a.is_nested_execute == b.is_nested_execute &&
         a.arguments == b.arguments && a.transaction == b.transaction &&
         a.is_chained == b.is_chained && a.savepoint == b.savepoint &&
         std::ranges::equal(a.settings, b.settings, same_change) &&
         std::ranges::equal(a.kv_calls, b.kv_calls, calls);
}

bool same_analysis(const sql::Analysis& a, const sql::Analysis& b) {
  return a.parsed == b.parsed && a.error == b.error && a.error_position == b.error_position &&
         a.touches_session == b.touches_session && a.has_kv_calls == b.has_kv_calls &&
         std::ranges::equal(a.statements, b.statements,
                            [](const auto& x, const auto& y) { return same_statement(x, y); });
}

}  // namespace helios::fuzz
