// SPDX-License-Identifier: Apache-2.0
#include "session/kept.hpp"

#include <cstdint>
#include <utility>

namespace helios::session {

// Nearly always it is kept already: the server's work took longer.
Kept wait_until_kept(kv::Store* store, base::Executor& home, const hooks::Tickets& tickets,
                     std::move_only_function<void(Kept)> later) {
  if (store == nullptr || tickets.last <= store->kept()) return Kept::yes;
  const auto answer = [store, required = tickets.last_required](bool is_kept) {
    return is_kept || required <= store->kept() ? Kept::yes : Kept::no;
  };
  const auto make_on_kept = [&]() -> kv::OnReached {
    return [&home, answer, later = std::move(later)](bool is_kept) mutable {
      // On a thread of the store's: only pass it on.
      home.post([answer, is_kept, later = std::move(later)]() mutable { later(answer(is_kept)); });
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
