// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which statements of a trail somebody wants to see.

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace helios::cli {

// Empty, here: whatever it is. All that is said must fit.
struct StatementFilter {
  std::string tenant;
  std::string user;
  std::string agent;
  std::string database;
  std::string session;
  std::string application;
  std::string client;
  std::string fingerprint;            // 16 hexadecimal digits
  std::string sqlstate;               // of the error or refusal
  std::string contains;               // in the text, whatever the case of letters
  std::vector<std::string> outcomes;  // one of these; kOpenOutcome: it has none

  bool operator==(const StatementFilter&) const = default;

  // Whether a statement with this intent could fit, whatever becomes of it. `intent`: the record.
  [[nodiscard]] bool may_fit(const boost::json::object& intent) const;

  // Whether it fits. `fields`: of to_object().
  [[nodiscard]] bool fits(const boost::json::object& fields) const;
};

// Of a statement whose outcome the trail does not have.
inline constexpr const char* kOpenOutcome = "open";

// What may stand in `outcomes`.
[[nodiscard]] const std::vector<std::string>& outcome_names();

}  // namespace helios::cli
