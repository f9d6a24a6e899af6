// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/output.hpp"
#include "pgwire/frame_reader.hpp"

#include <string>

namespace helios::pgwire {

// Passes on what `reader` has just delivered, without a copy where it stands in the event's input.
inline void pass_bytes(const FrameReader& reader, base::Output& output) {
  if (reader.points_into_input()) {
    output.append_view(reader.bytes());
  } else {
    output.append(std::string(reader.bytes()));
  }
}

}  // namespace helios::pgwire
