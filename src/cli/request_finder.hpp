// SPDX-License-Identifier: Apache-2.0
#pragma once

// Looks for one request: in the trail, and among the refusals that a running proxy keeps.
//
// A request id tells neither its time nor its place, so the trail is read from its end back to a moment, and no further:
// what somebody asks about was mostly just now.

#include "base/result.hpp"
#include "cli/audit_ports.hpp"
#include "cli/audit_statement.hpp"
#include "kv/stream.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace helios::cli {

// What the proxy keeps of the decision to refuse it: an element of `refusals` in GET /refusals.
struct FoundDecision {
  std::optional<boost::json::object> record;
  std::string why_not;  // where there is no record
};

// `is_directory`: a state directory is asked, which keeps none. Errors: unavailable (nobody answers).
[[nodiscard]] base::Result<FoundDecision> find_decision(const StateAccess& state, bool is_directory,
                                                        const std::string& request);

struct FoundRequest {
  Statement statement;  // where there is no intent, that has no bytes
  bool has_trail = true;
  bool is_oldest = false;       // records that are older are gone, or there are none
  std::uint64_t read = 0;       // how many records were looked at
  kv::RecordNumber newest = 0;  // the last of them
  std::int64_t since_ms = 0;    // how far back
};

// Reads back to `since_ms`, or to the intent. Errors: those of ReadPage, but for a trail that is not there.
[[nodiscard]] base::Result<FoundRequest> find_request(const StateAccess& state,
                                                      const std::string& plugin,
                                                      const std::string& request,
                                                      std::int64_t since_ms);

}  // namespace helios::cli
