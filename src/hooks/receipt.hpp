// SPDX-License-Identifier: Apache-2.0
#pragma once

// What an answer rests on: a hook stored something, or saw what others have stored, and until its store has that safe,
// nobody outside may know what came of it. How safe, the class of the namespace says (docs/state.md).
//
// Whoever commits makes a receipt. Receipts are added up, from call to statement to answer; only StateBarrier looks
// into one. It is a small value that allocates nothing.
//
// A receipt names each store that it rests on. There are at most kMaxKeepers of them in a process: the one at hand, and
// one that is shared with other proxies.

#include "kv/durability.hpp"

#include <array>
#include <cstddef>

namespace helios::kv {
class Store;
}

namespace helios::hooks {

class Receipt {
 public:
  static constexpr std::size_t kMaxKeepers = 2;

  // Rests on nothing.
  Receipt() = default;
  // Of a commit, by its ticket; kv::kNoTicket: rests on nothing. Lifetime: `keeper` outlives the receipt, and all to
  // which it is added.
  Receipt(kv::Store& keeper, kv::Ticket ticket);

  // `is_required`: an answer that rests on `other` must not be released when that cannot be kept. What `other` itself
  // requires it requires anyway.
  // Requires: no more than kMaxKeepers stores in all.
  void add(const Receipt& other, bool is_required = false) {
    if (!other.is_empty()) add_parts(other, is_required);
  }

  [[nodiscard]] bool is_empty() const { return parts_[0].keeper == nullptr; }

 private:
  friend class StateBarrier;

  // Whoever has waited for a ticket of a store has waited for all smaller ones.
  struct Part {
    kv::Store* keeper = nullptr;  // null: this part, and those behind it, are free
    kv::Ticket last = kv::kNoTicket;
    kv::Ticket required = kv::kNoTicket;  // the last one that is
  };

  void add_parts(const Receipt& other, bool is_required);

  std::array<Part, kMaxKeepers> parts_;
};

}  // namespace helios::hooks
