// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where anchors go that are kept in a file: a line each, at its end. The file may be one to which nobody can but append
// (chattr +a), or lie on another machine (NFS).

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace helios::anchors {

// Adds the line and a line break, and waits until the disk has it. Makes the file, for its owner alone, if it is not there.
// What a write that was cut off has left becomes a line of its own. Blocks. Errors: unavailable; the message has the path.
[[nodiscard]] base::Result<void> append_line(const std::string& path, std::string_view line);

}  // namespace helios::anchors
