// SPDX-License-Identifier: Apache-2.0
#pragma once

// The parameters of a portal: as hooks see them, and as another text takes them over.

#include "pgwire/extended.hpp"
#include "session/prepared.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace helios::session {

// Fills bound.parameters from what Bind gave and Parse declared. False: malformed. `values` is only room
// to work in.
[[nodiscard]] bool read_parameters(BoundStatement& bound, std::vector<pgwire::BoundValue>& values);

// What Parse and Bind of `text` need in the place of its own, fields as in the messages. A
// statement takes no more values than it has parameters, and every one below its last must have a
// type: so values behind the last parameter of `text` are left out, and one that it does not use is
// declared as text. Formats of columns stay what the client asked for: where they are not as many as
// `text` has columns, the server says so (08P01), for any other reading would be another value.
struct Rebinding {
  std::string types;
  std::string values;
  std::string formats;
};
[[nodiscard]] Rebinding rebind(const BoundStatement& bound, std::string_view text);

}  // namespace helios::session
