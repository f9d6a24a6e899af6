// SPDX-License-Identifier: Apache-2.0
#pragma once

// One attempt of one hook call: an instance, the input copied in, the hook called, its answer read. What
// it wrote stands in the transaction of its HostCalls, not committed.
//
// An instance of ABI 1 serves one attempt, so the guest's dealloc is never called: there is nothing
// left to free.

#include "hooks/plugin.hpp"
#include "plugins/abi/host_calls.hpp"
#include "plugins/static_layout.hpp"
#include "plugins/wasm.hpp"

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace helios::plugins {

// What an attempt runs. Views and references outlive it.
struct AttemptInput {
  const WasmModule& module;
  const StaticLayout& layout;
  bool call_initialize = false;
  bool is_abi2 = false;  // then `json` and max_output_bytes have no meaning
  hooks::HookPoint point = hooks::HookPoint::pre_query;
  std::string_view json;
  std::uint64_t memory_bytes = 0;
  std::uint32_t table_elements = 0;
  std::uint64_t max_output_bytes = 0;
  std::uint32_t deadline_ticks = 1;  // for all of it together
};

struct AttemptEnd {
  enum class Kind {
    returned,      // the hook came back: commit, then its effects count
    doomed,        // run it again
    not_resident,  // fetch, then run it again
    overran,       // its deadline passed
    store_failed,
    too_early,  // see HostCalls::before_the_call()
    fault,      // the proxy's own: an exception in a host function
    failed,     // the guest's fault
  };
  Kind kind = Kind::returned;
  std::string failure = {};  // failed, fault: one line
  std::string place = {};    // failed: as in Fault
};

// What the hook decides goes to the effects of calls.scope(), which must be there.
// `instance`: one that is ready, or null: then it is made. It is still there afterwards.
[[nodiscard]] AttemptEnd run_attempt(const AttemptInput& input, HostCalls& calls,
                                     std::unique_ptr<WasmInstance>& instance);

// Makes an instance and initialises it, as an attempt begins, without calling a hook.
[[nodiscard]] std::expected<std::unique_ptr<WasmInstance>, AttemptEnd> make_ready(
    const AttemptInput& input, HostCalls& calls);

}  // namespace helios::plugins
