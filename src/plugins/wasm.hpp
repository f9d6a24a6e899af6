// SPDX-License-Identifier: Apache-2.0
#pragma once

// The wasm engine as this module needs it, whichever engine does it. Only plugins/wasmtime/ knows
// wasmtime.
//
// Three lifetimes: WasmEngine (one per process), WasmModule (one version of one plugin, compiled),
// WasmInstance (one attempt of one hook call, or several where the plugin asks for that: its own memory).

#include "base/result.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace helios::plugins {

class HostCalls;

enum class ValueType : std::uint8_t { i32, i64, f32, f64, other };

struct FunctionType {
  std::vector<ValueType> params;
  std::vector<ValueType> results;
  bool operator==(const FunctionType&) const = default;
};

// As the wasm text format would say it in short: "(i32, i32) -> i64".
[[nodiscard]] std::string to_text(const FunctionType& type);

enum class ExternKind : std::uint8_t { function, memory, table, global, other };

struct ModuleImport {
  std::string module;
  std::string name;
  ExternKind kind = ExternKind::other;
  FunctionType type;  // of a function
};

struct ModuleExport {
  std::string name;
  ExternKind kind = ExternKind::other;
  FunctionType type;  // of a function
};

// The caller's linear memory during a host call.
struct GuestMemory {
  char* base = nullptr;
  std::uint64_t size = 0;
};

// A function that guests can import.
struct HostFunction {
  // `values` holds the arguments, i32 in the low half; the result goes to values[0]. Returns false
  // to end the guest's call with a trap: why, stands in `calls`. Must not call back into the guest.
  using Entry = bool (*)(const HostFunction& self, HostCalls& calls, GuestMemory memory,
                         std::uint64_t* values);

  std::string_view module;
  std::string_view name;
  FunctionType type;
  Entry entry = nullptr;
};

// The functions of a guest that the proxy calls. Not every module exports all of them.
enum class GuestFunction : std::uint8_t {
  alloc,
  initialize,
  authenticate,
  pre_query,
  post_query,
  settled,
  check_write,
  event,
  abi_version,
};
inline constexpr std::array<std::string_view, 9> kGuestFunctionNames{
    "alloc",   "_initialize", "authenticate", "pre_query",         "post_query",
    "settled", "check_write", "event",        "helios_abi_version"};

[[nodiscard]] constexpr std::string_view name_of(GuestFunction function) {
  return kGuestFunctionNames[static_cast<std::size_t>(function)];
}

// How guest code ended when it did not return.
struct Fault {
  enum class Kind {
    trap,         // the guest's own doing, or a host function ended it
    interrupted,  // its deadline passed
    refused,      // no instance could be made
  };
  Kind kind = Kind::trap;
  std::string message;  // one line
  std::string place =
      {};  // in the guest: "in check at 0x1a2, called by pre_query"; empty: not known
};

// One instance. Every one of its calls counts against the deadline given to instantiate(), or to the
// last arm(). Its exports were looked up when it was made.
// Thread rule: one thread at a time. After a Fault only destruction makes sense.
class WasmInstance {
 public:
  virtual ~WasmInstance() = default;

  // Its memory, as it is until the next call().
  [[nodiscard]] virtual GuestMemory memory() = 0;

  // From now on it works for `calls`, with a new deadline. Requires: `calls` outlives what it calls.
  virtual void arm(HostCalls& calls, std::uint32_t deadline_ticks) = 0;

  // Calls an exported function. Requires: the module exports it with parameters that are as many i32
  // or i64 as `arguments`, and at most one result, an i32 (then in the low half of what is returned,
  // the rest of it undefined) or an i64. Returns 0 when there is no result.
  [[nodiscard]] virtual std::expected<std::uint64_t, Fault> call(
      GuestFunction function, std::initializer_list<std::uint64_t> arguments) = 0;
};

struct InstanceOptions {
  std::uint64_t memory_bytes = 0;  // its memory does not grow beyond this
  std::uint32_t table_elements = 0;
  std::uint32_t deadline_ticks = 1;  // of the engine's clock, from now
  // Handed to host functions, and told the deadline. Not null; outlives the instance, or its next arm().
  HostCalls* calls = nullptr;
};

// Thread rule: any thread, once linked.
class WasmModule {
 public:
  virtual ~WasmModule() = default;
  [[nodiscard]] virtual const std::vector<ModuleImport>& imports() const = 0;
  [[nodiscard]] virtual const std::vector<ModuleExport>& exports() const = 0;

  // Resolves the imports among the engine's host functions. Errors: invalid, when one is missing or
  // has another type.
  [[nodiscard]] virtual base::Result<void> link() = 0;

  // A fresh instance; runs the module's start function. Requires: link() succeeded.
  [[nodiscard]] virtual std::expected<std::unique_ptr<WasmInstance>, Fault> instantiate(
      const InstanceOptions& options) const = 0;
};

// Thread rule: any thread.
class WasmEngine {
 public:
  virtual ~WasmEngine() = default;

  // Compiles a binary module: milliseconds to seconds, so not on an event loop. Errors: invalid.
  [[nodiscard]] virtual base::Result<std::unique_ptr<WasmModule>> compile(
      std::string_view binary) const = 0;

  // Text format to binary. Errors: invalid.
  [[nodiscard]] virtual base::Result<std::string> assemble(std::string_view text) const = 0;
};

// Caps that hold for all instances of an engine, because their slots are reserved up front.
struct EngineOptions {
  std::uint32_t max_instances = 64;  // alive at once
  std::uint64_t max_memory_bytes = 16 << 20;
  std::uint32_t max_table_elements = 4096;
  // Address space per instance; 0 = 4 GiB, with which guest code needs no bounds checks.
  std::uint64_t memory_reservation_bytes = 0;
  // The longest deadline that will be given: the engine's clock rests when nothing has been
  // instantiated for longer than this.
  std::uint32_t longest_deadline_ticks = 1000;
};

// The engine's clock, against which deadlines run.
inline constexpr std::uint32_t kTickMs = 5;

// Ticks after which a deadline of `timeout_ms` has passed in any case.
[[nodiscard]] constexpr std::uint32_t deadline_ticks(std::uint32_t timeout_ms) {
  return (timeout_ms + kTickMs - 1) / kTickMs + 1;
}

// Requires: `functions` outlive the engine and its modules. Errors: unavailable, when the address
// space cannot be had.
[[nodiscard]] base::Result<std::shared_ptr<WasmEngine>> make_wasm_engine(
    const EngineOptions& options, std::span<const HostFunction> functions);

}  // namespace helios::plugins
