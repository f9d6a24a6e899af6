// SPDX-License-Identifier: Apache-2.0
#pragma once

// What survives of a namespace, and the tickets by which others wait for it. docs/state.md says what
// each class promises to people.

#include "base/function_view.hpp"

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string_view>

namespace helios::kv {

// What a commit's `done` stands for.
enum class Durability {
  memory,   // nothing: a restart forgets the namespace
  relaxed,  // visible; it outlives the process once its ticket is handed over
  strict,   // on disk: it outlives a power failure
};

[[nodiscard]] constexpr std::string_view to_word(Durability durability) {
  switch (durability) {
    case Durability::memory: return "memory";
    case Durability::relaxed: return "relaxed";
    case Durability::strict: return "strict";
  }
  return "";
}

// Numbers what a store hands to its journal, over all namespaces, in order: whoever has waited for one
// ticket has waited for all smaller ones.
using Ticket = std::uint64_t;
inline constexpr Ticket kNoTicket = 0;  // nothing to wait for
inline constexpr Ticket kEveryTicket = std::numeric_limits<Ticket>::max();

// How far a ticket has come.
enum class Safety {
  handed_over,  // to the operating system: the process may be killed
  on_disk,      // synced: the power may fail
};

enum class WaitStatus {
  reached,  // already
  failed,   // the journal broke before
  pending,  // the callback will be called
};

// Called once, with false when the journal broke first; on a thread of the journal's, which it must not
// hold up.
using OnReached = std::move_only_function<void(bool reached)>;

// Makes it when the answer is pending, as MakeOnCommit.
using MakeOnReached = base::FunctionView<OnReached()>;

}  // namespace helios::kv
