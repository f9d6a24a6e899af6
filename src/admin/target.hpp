// SPDX-License-Identifier: Apache-2.0
#pragma once

// Request targets: RFC 3986 percent-encoding, path and query. What is decoded is bytes, not text:
// %00 and %FF are fine.

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::admin {

struct TargetView {
  std::string_view path;   // up to the first '?'
  std::string_view query;  // after it; empty when there is none
};

// Both parts still encoded. The views live as long as `target`.
[[nodiscard]] TargetView split_target(std::string_view target);

// Replaces each %XX. '+' stays '+'. Errors: invalid, for a '%' without two hex digits.
[[nodiscard]] base::Result<std::string> percent_decode(std::string_view text);

// Encodes every byte but letters, digits and "-._~:/", so that the result stands for `bytes` both
// in the path and in the query of a URL.
[[nodiscard]] std::string percent_encode(std::string_view bytes);

using Parameters = std::vector<std::pair<std::string, std::string>>;

// "a=1&b" -> {a,1},{b,}; decoded. Errors: invalid, as percent_decode(), and for a name that is there twice.
[[nodiscard]] base::Result<Parameters> parse_query(std::string_view query);

}  // namespace helios::admin
