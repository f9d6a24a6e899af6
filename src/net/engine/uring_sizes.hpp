// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace helios::net {

// How much a ring holds. Everything works with the smallest sizes, more slowly.
struct UringSizes {
  unsigned requests = 1024;     // queued for one submission; a power of two
  unsigned completions = 4096;  // that wait to be looked at; a power of two, at least `requests`
  unsigned buffers = 64;        // to receive into, shared by all streams; a power of two
  std::size_t buffer_bytes = 32 * 1024;
};

}  // namespace helios::net
