// SPDX-License-Identifier: Apache-2.0
#include "session/names.hpp"

namespace helios::session {

bool Names::is_executed(std::string_view statement) const {
  return portals.any_of([&](const Portal& portal) {
    if (!portal.run || portal.run->is_finished() || !portal.run->statements.front().prepared) {
      return false;
    }
    return statement.empty() ||
           portal.bound->statement->analysis->statements.front().name == statement;
  });
}

}  // namespace helios::session
