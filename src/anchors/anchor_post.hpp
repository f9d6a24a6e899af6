// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where anchors go that another machine keeps: an HTTPS address, to which each is posted as a JSON object. Sent by libcurl.

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace helios::anchors {

struct PostTarget {
  std::string url;  // https:// only
  std::string
      token_file;  // of a secret that is sent as `Authorization: Bearer`, read for each; empty: none
  std::string ca_file;  // PEM, of who may have signed its certificate; empty: the system's
  std::uint32_t timeout_ms = 10'000;  // of the whole request

  bool operator==(const PostTarget&) const = default;
};

// Once per process, before other threads use it.
void prepare_to_post();

// Posts `body`, and takes a status from 200 to 299 for a yes. Follows no redirect, reads no more of the answer than its status, uses
// no proxy but what the environment names (HTTPS_PROXY). Blocks. Errors: unavailable; the message has the address, and not
// the token.
[[nodiscard]] base::Result<void> post_json(const PostTarget& target, std::string_view body);

}  // namespace helios::anchors
