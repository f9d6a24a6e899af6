// SPDX-License-Identifier: Apache-2.0
#pragma once

// Compiles a module with a time limit. The engine cannot be stopped, and for some modules of a few
// kilobytes it would take hours: so it runs on a thread of its own, which is left behind when the time
// is up. That thread goes on at the lowest priority, and until it has ended nothing else is compiled,
// so there is one at most.
//
// Thread rule: one thread at a time. Lifetime: may end while a thread left behind still runs.

#include "base/result.hpp"
#include "plugins/wasm.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

namespace helios::plugins {

class CompileGuard {
 public:
  // Errors: those of WasmEngine::compile(); limit_exceeded, when it takes longer than `limit`;
  // unavailable, while an earlier module is still being compiled.
  [[nodiscard]] base::Result<std::unique_ptr<WasmModule>> compile(
      std::shared_ptr<const WasmEngine> engine, std::string binary,
      std::chrono::milliseconds limit);

  // Whether a thread was left behind and still runs.
  [[nodiscard]] bool is_busy() const { return is_busy_->load(); }

 private:
  std::shared_ptr<std::atomic<bool>> is_busy_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace helios::plugins
