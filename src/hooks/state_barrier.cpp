// SPDX-License-Identifier: Apache-2.0
#include "hooks/state_barrier.hpp"

#include "kv/store.hpp"

#include <cstddef>
#include <utility>

namespace helios::hooks {

// The stores are waited for one after the other: there are two at most, and the second one has worked meanwhile.
struct StateBarrier::Wait {
  Receipt receipt;
  base::Executor& home;
  std::move_only_function<void(Kept)> later;
  std::size_t next = 0;  // the part that is waited for
  bool is_reached = false;
};

bool StateBarrier::is_kept(const Receipt& receipt) {
  for (const Receipt::Part& part : receipt.parts_) {
    if (part.keeper == nullptr) break;
    if (part.last > part.keeper->kept()) return false;
  }
  return true;
}

// Nearly always it is kept already: the server's work took longer.
Kept StateBarrier::wait(const Receipt& receipt, base::Executor& home,
                        std::move_only_function<void(Kept)> later) {
  if (is_kept(receipt)) return Kept::yes;
  return wait_on(std::make_shared<Wait>(receipt, home, std::move(later)));
}

Kept StateBarrier::wait_on(const std::shared_ptr<Wait>& wait) {
  const auto make_on_kept = [&]() -> kv::OnReached {
    base::Task task = [wait] { resume(wait, wait->is_reached); };
    // On a thread of the store's: only pass it on. What that takes is there, so nothing is lost for want of memory.
    return [wait, task = std::move(task)](bool is_reached) mutable {
      wait->is_reached = is_reached;
      wait->home.post(std::move(task));
    };
  };
  for (; wait->next < Receipt::kMaxKeepers; ++wait->next) {
    const Receipt::Part& part = wait->receipt.parts_[wait->next];
    if (part.keeper == nullptr) break;
    switch (part.keeper->when_kept(part.last, make_on_kept)) {
      case kv::WaitStatus::reached: break;
      case kv::WaitStatus::pending: return Kept::pending;
      case kv::WaitStatus::failed:
        if (part.required > part.keeper->kept()) return Kept::no;
        break;
    }
  }
  return Kept::yes;
}

// The rest of it, at home, where whoever waits has to be answered in any case.
void StateBarrier::resume(const std::shared_ptr<Wait>& wait, bool is_reached) {
  Kept kept = Kept::no;
  const Receipt::Part& part = wait->receipt.parts_[wait->next];
  if (is_reached || part.required <= part.keeper->kept()) {
    ++wait->next;
    try {
      kept = wait_on(wait);
    } catch (...) {
      kept = Kept::no;  // nobody can say, for want of memory
    }
  }
  if (kept != Kept::pending) wait->later(kept);
}

}  // namespace helios::hooks
