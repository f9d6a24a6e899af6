// SPDX-License-Identifier: Apache-2.0
#pragma once

// The answers that several routes share.

#include "admin/message.hpp"

#include <string>
#include <string_view>

namespace helios::admin {

// {"error":"<text>"}. `text` may hold any bytes.
[[nodiscard]] Response error_reply(int status, std::string_view text);

// 200 {"ok":true}
[[nodiscard]] Response ok_reply();

// 405 with Allow; `allow` e.g. "GET, HEAD". `text` says why, where that is not obvious.
[[nodiscard]] Response method_not_allowed(std::string allow,
                                          std::string_view text = "method not allowed");

// `bytes` fit for a JSON string: as they are when valid UTF-8, otherwise with \xNN escapes. For
// texts that people read; where the bytes matter, the routes have other forms.
[[nodiscard]] std::string readable(std::string_view bytes);

}  // namespace helios::admin
