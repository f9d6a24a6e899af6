// SPDX-License-Identifier: Apache-2.0
#pragma once

// Holds back what rests on the state of plugins until the store has it, as the classes of their
// namespaces promise.

#include "base/executor.hpp"
#include "hooks/statement_execution.hpp"
#include "kv/store.hpp"

#include <functional>
#include <string_view>

namespace helios::session {

enum class Kept {
  yes,
  no,  // and a plugin insists on it: see kNotKeptText
  pending,
};

inline constexpr std::string_view kNotKeptText = "the state of a plugin could not be written";

// `later` is called with yes or no, on `home`, if and only if the answer is pending. `store`: null is one
// that keeps nothing. Requires: it, and what `later` refers to, live until then.
[[nodiscard]] Kept wait_until_kept(kv::Store* store, base::Executor& home,
                                   const hooks::Tickets& tickets,
                                   std::move_only_function<void(Kept)> later);

}  // namespace helios::session
