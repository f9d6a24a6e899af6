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

// https, a host, no user and password, which would stand in logs: those are what a token is for. Errors: invalid; the message
// says what it must be.
[[nodiscard]] base::Result<void> check_url(const std::string& url);

// Fit for logs: without what stands behind a '?', which may be secret.
[[nodiscard]] std::string shown_url(const std::string& url);

// Once per process, before other threads use it.
void prepare_to_post();

// Posts `body`, and takes a status from 200 to 299 for a yes, whatever becomes of the answer behind it: its body is not read.
// Follows no redirect, uses
// no proxy but what the environment names (HTTPS_PROXY). Blocks. Errors: unavailable; the message has the address, and not
// the token.
[[nodiscard]] base::Result<void> post_json(const PostTarget& target, std::string_view body);

}  // namespace helios::anchors
