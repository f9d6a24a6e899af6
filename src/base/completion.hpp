// SPDX-License-Identifier: Apache-2.0
#pragma once

// The end of work that goes on elsewhere on behalf of one owner: a hook that is not through, a text that another thread
// reads, a store that has yet to write.
//
// Flow, for each piece of work, one after the other:
//  1 Begin it. If it ended inside of that call, nothing is to be done here.
//  2 Otherwise await(). From here on the owner must not be destroyed, for the work refers to it.
//  3 Whoever does the work posts to the owner's thread, and there finish() tells the owner. A worker that has more to do
//    first calls arrive(), which only notes that the work is through, and tell() when all of it is.
//
// Thread rule: the owner's thread. Lifetime: part of its owner.

#include <cassert>
#include <functional>
#include <utility>

namespace helios::base {

class Completion {
 public:
  // `then` tells the owner. It may begin the next piece of work.
  explicit Completion(std::function<void()> then) : then_(std::move(then)) {}
  ~Completion() { assert(!is_awaited_); }
  Completion(const Completion&) = delete;
  Completion& operator=(const Completion&) = delete;

  // Requires: nothing is awaited.
  void await() {
    assert(!is_awaited_);
    is_awaited_ = true;
  }
  // Requires, as finish(): something is awaited.
  void arrive() {
    assert(is_awaited_);
    is_awaited_ = false;
  }
  // Requires: nothing is awaited. The owner may be gone when it returns.
  void tell() {
    assert(!is_awaited_);
    then_();
  }
  void finish() {
    arrive();
    tell();
  }
  [[nodiscard]] bool is_awaited() const { return is_awaited_; }

 private:
  std::function<void()> then_;
  bool is_awaited_ = false;
};

}  // namespace helios::base
