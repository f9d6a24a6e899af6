// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is known about one request, as lines for a person.

#include "cli/request_finder.hpp"

#include <string>

namespace helios::cli {

// Lines of a label and what it is. Whatever others wrote is shown so that it cannot steer a terminal. What is not known has a
// line as well, which says why.
[[nodiscard]] std::string report_of(const std::string& request, const FoundRequest& found,
                                    const FoundDecision& decision);

}  // namespace helios::cli
