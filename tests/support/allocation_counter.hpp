// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace helios::test {

// How often this thread has called operator new.
[[nodiscard]] std::size_t allocation_count();

// Called by operator new on this thread, which it may leave by an exception; null: nothing. `hook` may not allocate
// otherwise.
void set_allocation_hook(void (*hook)());

}  // namespace helios::test
