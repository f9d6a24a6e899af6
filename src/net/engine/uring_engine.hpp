// SPDX-License-Identifier: Apache-2.0
#pragma once

// The engine with io_uring behind it. Private to this module, and to its tests.

#include "net/engine/engine.hpp"
#include "net/engine/uring_sizes.hpp"

namespace helios::net {

// Errors: unavailable, when the kernel refuses or lacks something; the message says what.
[[nodiscard]] base::Result<std::unique_ptr<Engine>> make_uring_engine(const UringSizes& sizes = {});

// Tries everything that the engine needs of the kernel: a ring of its kind, the shared buffers, and a
// receive that completes again and again. Errors: unavailable; the message says what is missing.
[[nodiscard]] base::Result<void> try_uring();

}  // namespace helios::net
