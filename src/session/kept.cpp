// SPDX-License-Identifier: Apache-2.0
#include "session/kept.hpp"

#include <cstdint>
#include <memory>
#include <utility>

namespace helios::session {

// Nearly always it is kept already: the server's work took longer.
Kept wait_until_kept(kv::Store* store, base::Executor& home, const hooks::Tickets& tickets,
                     std::move_only_function<void(Kept)> later) {
  if (store == nullptr || tickets.last <= store->kept()) return Kept::yes;
  const auto answer = [store, required = tickets.last_required](bool is_kept) {
    return is_kept || required <= store->kept() ? Kept::yes : Kept::no;
  };
  struct Answer {
    std::move_only_function<void(Kept)> later;
    Kept kept = Kept::pending;
  };
  const auto make_on_kept = [&]() -> kv::OnReached {
    auto late = std::make_shared<Answer>(std::move(later));
    base::Task task = [late] { late->later(late->kept); };
    // On a thread of the store's: only pass it on. What that takes is there, so nothing is lost for want of memory.
    return [&home, answer, late = std::move(late), task = std::move(task)](bool is_kept) mutable {
      late->kept = answer(is_kept);
      home.post(std::move(task));
    };
  };
  switch (store->when_kept(tickets.last, make_on_kept)) {
    case kv::WaitStatus::reached: break;
    case kv::WaitStatus::failed: return answer(false);
    case kv::WaitStatus::pending: return Kept::pending;
  }
  return Kept::yes;
}

}  // namespace helios::session
