// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>

namespace helios::sql {

// Whether long work may go on. It asks somebody now and then, not at every step, and a no is for good.
//
// Lifetime: what it asks outlives it. Thread rule: one thread.
class Pace {
 public:
  explicit Pace(const std::function<bool()>& go_on) : go_on_(&go_on) {}

  // The work has got to byte `place`; places only grow. False: it has to end.
  [[nodiscard]] bool may_go_on(std::size_t place) {
    if (place < ask_at_) return true;
    is_stopped_ = is_stopped_ || !(*go_on_)();
    if (!is_stopped_) ask_at_ = place + kBytesBetween;
    return !is_stopped_;
  }

 private:
  static constexpr std::size_t kBytesBetween = std::size_t{64} * 1024;

  const std::function<bool()>* go_on_;
  std::size_t ask_at_ = kBytesBetween;
  bool is_stopped_ = false;
};

}  // namespace helios::sql
