// SPDX-License-Identifier: Apache-2.0
#pragma once

// A function that is passed down to be called, or not, before the call returns: std::function_ref of C++26.
// Owns nothing, allocates nothing.
//
// Lifetime: what it was made of outlives it, which an argument does until the call has returned.

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace helios::base {

template <typename Signature>
class FunctionView;

template <typename Result, typename... Arguments>
class FunctionView<Result(Arguments...)> {
 public:
  template <typename Function>
    requires(!std::is_same_v<std::remove_cvref_t<Function>, FunctionView> &&
             std::is_invocable_r_v<Result, Function&, Arguments...>)
  FunctionView(Function&& function)  // NOLINT(google-explicit-constructor): a lambda is an argument
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(function)))),
        call_([](void* object, Arguments... arguments) -> Result {
          return std::invoke(*static_cast<std::remove_reference_t<Function>*>(object),
                             std::forward<Arguments>(arguments)...);
        }) {}

  Result operator()(Arguments... arguments) const {
    return call_(object_, std::forward<Arguments>(arguments)...);
  }

 private:
  void* object_;
  Result (*call_)(void*, Arguments...);
};

}  // namespace helios::base
