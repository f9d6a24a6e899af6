// SPDX-License-Identifier: Apache-2.0
#pragma once

// Makes ThreadSanitizer see what wasmtime does: that an instance's slot, with its memory, passes from
// one thread to the next in order. The engine's own locks are in code that is not instrumented, so
// without this every reuse of a slot would be reported as a race. Nothing in other builds.

#include <mutex>

namespace helios::plugins::detail {

class SlotOrder {
 public:
#ifdef HELIOS_TSAN
  using Lock = std::unique_lock<std::mutex>;
  // To be held while an instance is made and while it is ended.
  [[nodiscard]] Lock enter() { return Lock(mutex_); }

 private:
  std::mutex mutex_;
#else
  struct Lock {
    ~Lock() {}  // not trivial, so that nobody is warned of an unused variable
  };
  [[nodiscard]] Lock enter() { return {}; }
#endif
};

}  // namespace helios::plugins::detail
