// SPDX-License-Identifier: Apache-2.0
#pragma once

// Holds back what rests on the state of plugins until the stores have that, as the classes of their
// namespaces promise.

#include "base/executor.hpp"
#include "hooks/receipt.hpp"

#include <functional>
#include <memory>
#include <string_view>

namespace helios::hooks {

enum class Kept {
  yes,
  no,  // and a plugin insists on it: see kNotKeptText
  pending,
};

inline constexpr std::string_view kNotKeptText = "the state of a plugin could not be written";

class StateBarrier {
 public:
  // `later` is called with yes or no, on `home`, if and only if the answer is pending. Where nothing has to be waited for,
  // as nearly always, it costs a look at each store. Errors: may throw std::bad_alloc, and calls nothing then.
  // Requires: the stores of the receipt, `home`, and what `later` refers to, live until then. Thread rule: home's.
  [[nodiscard]] static Kept wait(const Receipt& receipt, base::Executor& home,
                                 std::move_only_function<void(Kept)> later);

 private:
  struct Wait;

  static bool is_kept(const Receipt& receipt);
  static Kept wait_on(const std::shared_ptr<Wait>& wait);
  static void resume(const std::shared_ptr<Wait>& wait, bool is_reached);
};

}  // namespace helios::hooks
