// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "metrics/family.hpp"

#include <span>
#include <string>

namespace helios::metrics {

// Content-Type of what render_text() writes.
inline constexpr const char* kTextContentType = "text/plain; version=0.0.4; charset=utf-8";

// The Prometheus text format 0.0.4. Requires: valid names (see family.hpp), each family once.
[[nodiscard]] std::string render_text(std::span<const Family> families);

}  // namespace helios::metrics
