// SPDX-License-Identifier: Apache-2.0
#include "hooks/receipt.hpp"

#include <algorithm>
#include <cassert>

namespace helios::hooks {

Receipt::Receipt(kv::Store& keeper, kv::Ticket ticket) {
  if (ticket != kv::kNoTicket) parts_[0] = {.keeper = &keeper, .last = ticket};
}

void Receipt::add_parts(const Receipt& other, bool is_required) {
  for (const Part& part : other.parts_) {
    if (part.keeper == nullptr) return;
    const auto place = std::ranges::find_if(parts_, [&](const Part& mine) {
      return mine.keeper == part.keeper || mine.keeper == nullptr;
    });
    assert(place != parts_.end());
    place->keeper = part.keeper;
    place->last = std::max(place->last, part.last);
    place->required = std::max(place->required, is_required ? part.last : part.required);
  }
}

}  // namespace helios::hooks
