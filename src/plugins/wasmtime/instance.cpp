// SPDX-License-Identifier: Apache-2.0
#include "plugins/wasmtime/instance.hpp"

#include "base/text.hpp"
#include "plugins/abi/host_calls.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <string>

namespace helios::plugins::detail {

namespace {

constexpr std::size_t kMaxArguments = 4;
// How long guest code runs before it is looked whether somebody still waits for it. Not less than a worker's slice.
constexpr std::uint32_t kLookEveryTicks = 2;

// In words of the wasm specification, shorter than the engine's own, which carry a backtrace.
std::string_view trap_text(wasmtime_trap_code_t code) {
  switch (code) {
    case WASMTIME_TRAP_CODE_STACK_OVERFLOW: return "call stack exhausted";
    case WASMTIME_TRAP_CODE_MEMORY_OUT_OF_BOUNDS: return "out of bounds memory access";
    case WASMTIME_TRAP_CODE_TABLE_OUT_OF_BOUNDS: return "out of bounds table access";
    case WASMTIME_TRAP_CODE_INDIRECT_CALL_TO_NULL: return "uninitialized table element";
    case WASMTIME_TRAP_CODE_BAD_SIGNATURE: return "indirect call type mismatch";
    case WASMTIME_TRAP_CODE_INTEGER_OVERFLOW: return "integer overflow";
    case WASMTIME_TRAP_CODE_INTEGER_DIVISION_BY_ZERO: return "integer divide by zero";
    case WASMTIME_TRAP_CODE_BAD_CONVERSION_TO_INTEGER: return "invalid conversion to integer";
    case WASMTIME_TRAP_CODE_UNREACHABLE_CODE_REACHED: return "unreachable";
    case WASMTIME_TRAP_CODE_INTERRUPT: return "interrupt";
    default: return "";
  }
}

// Frames of a trap that are named. The first is where it was.
constexpr std::size_t kMaxFrames = 4;
constexpr std::size_t kMaxFunctionBytes = 80;

std::string hex(std::size_t number) {
  std::array<char, 20> digits{};
  const auto [end, error] = std::to_chars(digits.begin(), digits.end(), number, 16);
  return "0x" + std::string(digits.begin(), end);
}

// By the module's name section; without one, by number.
std::string function_of(const wasm_frame_t& frame) {
  const wasm_name_t* const name = wasmtime_frame_func_name(&frame);
  if (name == nullptr || name->size == 0)
    return "function " + std::to_string(wasm_frame_func_index(&frame));
  return base::escape_for_log({name->data, name->size}, kMaxFunctionBytes);
}

// "in check at 0x1a2, called by pre_query": where the instruction stands in the module, as tools for modules show it. Empty:
// the engine does not know.
std::string place_of(const wasm_trap_t& trap) {
  OwnedVector<wasm_frame_vec_t, wasm_frame_vec_delete> frames;
  wasm_trap_trace(&trap, frames.out());
  std::string text;
  std::size_t count = 0;
  for (const wasm_frame_t* frame : frames) {
    if (count == kMaxFrames) return text + ", ...";
    text += (count++ == 0 ? "in " : ", called by ") + function_of(*frame);
    if (count == 1) text += " at " + hex(wasm_frame_module_offset(frame));
  }
  return text;
}

Fault to_fault(const wasm_trap_t& trap) {
  wasmtime_trap_code_t code = 0;
  if (!wasmtime_trap_code(&trap, &code)) return {Fault::Kind::trap, message_of(trap)};
  const auto kind =
      code == WASMTIME_TRAP_CODE_INTERRUPT ? Fault::Kind::interrupted : Fault::Kind::trap;
  const std::string_view text = trap_text(code);
  if (text.empty()) return {kind, message_of(trap)};
  return {kind, std::string(text), kind == Fault::Kind::trap ? place_of(trap) : std::string()};
}

}  // namespace

WasmtimeInstance::WasmtimeInstance(EngineCore& core, const InstanceOptions& options)
    : core_(core),
      store_(wasmtime_store_new(core.engine.get(), &data_, nullptr)),
      context_(wasmtime_store_context(store_.get())) {
  wasmtime_store_limiter(store_.get(), static_cast<std::int64_t>(options.memory_bytes),
                         options.table_elements, 1, 1, 1);
  wasmtime_store_epoch_deadline_callback(store_.get(), &WasmtimeInstance::on_tick, this, nullptr);
  arm(*options.calls, options.deadline_ticks);
}

WasmtimeInstance::~WasmtimeInstance() {
  const auto in_order = core_.slot_order.enter();
  store_.reset();
}

void WasmtimeInstance::arm(HostCalls& calls, std::uint32_t deadline_ticks) {
  core_.ticker->note_use();
  data_.calls = &calls;
  calls.set_deadline(core_.ticker->ticks(), deadline_ticks);
  was_interrupted_ = false;
  // On a worker nobody can cancel it: its thread is the one that would.
  wasmtime_context_set_epoch_deadline(context_, std::min(deadline_ticks, kLookEveryTicks));
}

// Guest code has run on beyond what it was given last: its deadline may have passed, or nobody waits for it any more.
wasmtime_error_t* WasmtimeInstance::on_tick(wasmtime_context_t*, void* self, std::uint64_t* delta,
                                            wasmtime_update_deadline_kind_t* kind) {
  WasmtimeInstance& instance = *static_cast<WasmtimeInstance*>(self);
  if (instance.data_.calls->is_out_of_time()) {
    instance.was_interrupted_ = true;
    return wasmtime_error_new("interrupt");
  }
  *delta = 1;
  *kind = WASMTIME_UPDATE_DEADLINE_CONTINUE;
  return nullptr;
}

std::optional<Fault> WasmtimeInstance::start(const wasmtime_instance_pre_t& linked,
                                             const ExportedFunctions& exported) {
  const auto in_order = core_.slot_order.enter();
  wasm_trap_t* trap = nullptr;
  const ErrorHandle error(wasmtime_instance_pre_instantiate(&linked, context_, &instance_, &trap));
  const TrapHandle trap_owner(trap);
  if (was_interrupted_) return Fault{Fault::Kind::interrupted, "interrupt"};
  if (trap != nullptr) return to_fault(*trap);
  if (error) return Fault{Fault::Kind::refused, message_of(*error)};
  wasmtime_extern_t item;
  if (find_export("memory", item) && item.kind == WASMTIME_EXTERN_MEMORY) {
    data_.memory = item.of.memory;
    data_.memory_base = reinterpret_cast<char*>(wasmtime_memory_data(context_, &data_.memory));
    data_.has_memory = true;
  }
  for (std::size_t i = 0; i < exported.size(); ++i)
    if (exported[i] && find_export(kGuestFunctionNames[i], item)) functions_[i] = item.of.func;
  return std::nullopt;
}

GuestMemory WasmtimeInstance::memory() {
  if (!data_.has_memory) return {};
  return {data_.memory_base, wasmtime_memory_data_size(context_, &data_.memory)};
}

std::expected<std::uint64_t, Fault> WasmtimeInstance::call(
    GuestFunction function, std::initializer_list<std::uint64_t> arguments) {
  const wasmtime_func_t& called = functions_[static_cast<std::size_t>(function)];
  assert(called.store_id != 0);
  assert(arguments.size() <= kMaxArguments);
  std::array<wasmtime_val_raw_t, kMaxArguments> raw{};
  std::size_t count = 0;
  for (const std::uint64_t argument : arguments)
    raw[count++].i64 = static_cast<std::int64_t>(argument);

  wasm_trap_t* trap = nullptr;
  const ErrorHandle error(
      wasmtime_func_call_unchecked(context_, &called, raw.data(), raw.size(), &trap));
  const TrapHandle trap_owner(trap);
  if (was_interrupted_) return std::unexpected(Fault{Fault::Kind::interrupted, "interrupt"});
  if (trap != nullptr) return std::unexpected(to_fault(*trap));
  if (error) return std::unexpected(Fault{Fault::Kind::trap, message_of(*error)});
  return static_cast<std::uint64_t>(raw[0].i64);
}

bool WasmtimeInstance::find_export(std::string_view name, wasmtime_extern_t& item) {
  return wasmtime_instance_export_get(context_, &instance_, name.data(), name.size(), &item);
}

}  // namespace helios::plugins::detail
