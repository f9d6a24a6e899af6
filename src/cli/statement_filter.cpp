// SPDX-License-Identifier: Apache-2.0
#include "cli/statement_filter.hpp"

#include "base/text.hpp"
#include "cli/json_answer.hpp"

#include <algorithm>
#include <string_view>

namespace helios::cli {
namespace {

namespace json = boost::json;

bool is(const std::string& wanted, const json::object& object, std::string_view name) {
  return wanted.empty() || view_of(object, name) == wanted;
}

}  // namespace

const std::vector<std::string>& outcome_names() {
  static const std::vector<std::string> names = {"executed", "answered", "failed",  "refused",
                                                 "skipped",  "lost",     "unknown", kOpenOutcome};
  return names;
}

bool StatementFilter::may_fit(const json::object& intent) const {
  return is(tenant, intent, "tenant") && is(user, intent, "user") && is(agent, intent, "agent") &&
         is(database, intent, "database") && is(session, intent, "session") &&
         is(application, intent, "application") && is(client, intent, "client") &&
         is(fingerprint, intent, "fingerprint");
}

bool StatementFilter::fits(const json::object& fields) const {
  if (!is(sqlstate, fields, "sqlstate")) return false;
  const std::string_view outcome = view_of(fields, "outcome");
  const auto is_wanted = [outcome](const std::string& wanted) {
    return wanted == (outcome.empty() ? kOpenOutcome : outcome);
  };
  if (!outcomes.empty() && std::ranges::none_of(outcomes, is_wanted)) return false;
  if (contains.empty()) return true;
  const std::string needle = base::to_lower(contains);
  return std::ranges::any_of(std::initializer_list<std::string_view>{"text", "execute", "ran"},
                             [&](std::string_view name) {
                               return base::find_ignore_case(view_of(fields, name), needle) !=
                                      std::string_view::npos;
                             });
}

}  // namespace helios::cli
