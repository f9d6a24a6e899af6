// SPDX-License-Identifier: Apache-2.0
#pragma once

// Turns a plain C++ function into a HostFunction: its wasm signature, and the check of every guest
// pointer, are derived from the C++ parameter types, once, here.
//
//   C++ parameter            wasm parameters          meaning
//   std::uint32_t            i32
//   std::uint64_t, int64_t   i64
//   std::string_view         i32 pointer, i32 length  guest bytes to read
//   std::span<char>          i32 pointer, i32 length  guest bytes to write
//   std::span<char, N>       i32 pointer              N guest bytes to write
//   GuestMemory              none                     all of it, for pointers within what is pointed to
//
// The function takes HostCalls& first and returns std::optional<std::int32_t>,
// std::optional<std::int64_t> or std::optional<NoResult>; nullopt ends the guest's call, after HostCalls::stop() was told why.
//
// A range that does not lie in the guest's memory is the guest's bug, not an answer that it should
// have to interpret: the call traps. So does one after the deadline. An empty range is fine wherever it
// points. Views are valid
// during the host call only.
//
// While an instance is made ready before there is a call, only pure functions can be called. A hook that only judges what
// somebody else wants to write (check_write) changes no state: functions that could answer kInvalid there.

#include "plugins/abi/host_calls.hpp"
#include "plugins/abi/host_codes.hpp"
#include "plugins/wasm.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

namespace helios::plugins {

// True when [pointer, pointer + length) lies in `memory`. Cannot overflow: both are 32 bits wide.
[[nodiscard]] inline bool in_memory(const GuestMemory& memory, std::uint32_t pointer,
                                    std::uint64_t length) {
  return length == 0 || std::uint64_t{pointer} + length <= memory.size;
}

struct NoResult {};

enum class Purity {
  of_the_call,  // reads or writes what belongs to the call: its state, its time
  writes,       // likewise, and may change its state
  pure,         // depends on its arguments alone
};

namespace detail {

// How one C++ parameter is read from wasm values. kTypes: the wasm parameters it takes up.
template <typename T>
struct Parameter;

template <>
struct Parameter<std::uint32_t> {
  static constexpr std::array kTypes{ValueType::i32};
  static std::optional<std::uint32_t> read(const GuestMemory&, const std::uint64_t* values) {
    return static_cast<std::uint32_t>(values[0]);
  }
};

template <>
struct Parameter<std::uint64_t> {
  static constexpr std::array kTypes{ValueType::i64};
  static std::optional<std::uint64_t> read(const GuestMemory&, const std::uint64_t* values) {
    return values[0];
  }
};

template <>
struct Parameter<std::int64_t> {
  static constexpr std::array kTypes{ValueType::i64};
  static std::optional<std::int64_t> read(const GuestMemory&, const std::uint64_t* values) {
    return static_cast<std::int64_t>(values[0]);
  }
};

template <>
struct Parameter<GuestMemory> {
  static constexpr std::array<ValueType, 0> kTypes{};
  static std::optional<GuestMemory> read(const GuestMemory& memory, const std::uint64_t*) {
    return memory;
  }
};

template <>
struct Parameter<std::span<char>> {
  static constexpr std::array kTypes{ValueType::i32, ValueType::i32};
  static std::optional<std::span<char>> read(const GuestMemory& memory,
                                             const std::uint64_t* values) {
    const auto pointer = static_cast<std::uint32_t>(values[0]);
    const auto length = static_cast<std::uint32_t>(values[1]);
    if (!in_memory(memory, pointer, length)) return std::nullopt;
    return length == 0 ? std::span<char>() : std::span<char>(memory.base + pointer, length);
  }
};

template <>
struct Parameter<std::string_view> {
  static constexpr std::array kTypes = Parameter<std::span<char>>::kTypes;
  static std::optional<std::string_view> read(const GuestMemory& memory,
                                              const std::uint64_t* values) {
    const auto bytes = Parameter<std::span<char>>::read(memory, values);
    if (!bytes) return std::nullopt;
    return std::string_view(bytes->data(), bytes->size());
  }
};

template <std::size_t N>
  requires(N != std::dynamic_extent)
struct Parameter<std::span<char, N>> {
  static constexpr std::array kTypes{ValueType::i32};
  static std::optional<std::span<char, N>> read(const GuestMemory& memory,
                                                const std::uint64_t* values) {
    const auto pointer = static_cast<std::uint32_t>(values[0]);
    if (!in_memory(memory, pointer, N)) return std::nullopt;
    return std::span<char, N>(memory.base + pointer, N);
  }
};

inline std::vector<ValueType> result_types(std::optional<std::int32_t>) { return {ValueType::i32}; }
inline std::vector<ValueType> result_types(std::optional<std::int64_t>) { return {ValueType::i64}; }
inline std::vector<ValueType> result_types(std::optional<NoResult>) { return {}; }
inline std::uint64_t to_value(std::int64_t result) { return static_cast<std::uint64_t>(result); }
inline std::uint64_t to_value(NoResult) { return 0; }

template <auto kFunction, Purity kPurity>
struct Binding;

template <typename Result, typename... Parameters, Result (*kFunction)(HostCalls&, Parameters...),
          Purity kPurity>
struct Binding<kFunction, kPurity> {
  static FunctionType type() {
    FunctionType type;
    [[maybe_unused]] const auto append = [&type](const auto& types) {
      for (const ValueType value_type : types) type.params.push_back(value_type);
    };
    (append(Parameter<Parameters>::kTypes), ...);
    type.results = result_types(Result());
    return type;
  }

  static bool entry(const HostFunction& self, HostCalls& calls, [[maybe_unused]] GuestMemory memory,
                    std::uint64_t* values) {
    if (calls.is_out_of_time()) {
      calls.stop(HostCalls::Stop::out_of_time);
      return false;
    }
    if (kPurity != Purity::pure && calls.is_before_the_call()) {
      calls.stop(HostCalls::Stop::too_early);
      return false;
    }
    [[maybe_unused]] const std::uint64_t* next = values;
    // Braces: read in order.
    const std::tuple<std::optional<Parameters>...> read{
        Parameter<Parameters>::read(memory, std::exchange(next, next + kWidth<Parameters>))...};
    const bool in_bounds =
        std::apply([](const auto&... value) { return (value.has_value() && ...); }, read);
    if (!in_bounds) {
      calls.stop_bad_pointer(self.name);
      return false;
    }
    if (kPurity == Purity::writes && calls.is_at(hooks::HookPoint::check_write)) {
      values[0] = to_value(kInvalid);
      return true;
    }
    const Result result =
        std::apply([&](const auto&... value) { return kFunction(calls, *value...); }, read);
    if (!result) return false;
    values[0] = to_value(*result);
    return true;
  }

 private:
  template <typename T>
  static constexpr std::size_t kWidth = Parameter<T>::kTypes.size();
};

}  // namespace detail

// The import `module`.`name`, which calls kFunction.
template <auto kFunction, Purity kPurity = Purity::of_the_call>
[[nodiscard]] HostFunction host_function(std::string_view module, std::string_view name) {
  using Bound = detail::Binding<kFunction, kPurity>;
  return HostFunction{module, name, Bound::type(), &Bound::entry};
}

}  // namespace helios::plugins
