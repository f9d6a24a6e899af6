// SPDX-License-Identifier: Apache-2.0
//
// Goal: the static library runs a guest, and a guest's fault arrives as a trap under every
// sanitizer. Method: one engine with a small pool, two functions written in text form.

#include <gtest/gtest.h>
#include <wasmtime.h>

#include <cstring>
#include <string_view>

namespace {

constexpr std::string_view kGuest = R"((module
  (memory (export "memory") 1)
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "peek") (param i32 i32) (result i32) (i32.load (local.get 0)))))";

// One guest with its engine; the members are released in reverse order of creation.
class Guest {
 public:
  Guest() {
    wasm_config_t* config = wasm_config_new();
    wasmtime_config_native_unwind_info_set(config, false);
    wasmtime_pooling_allocation_config_t* pool = wasmtime_pooling_allocation_config_new();
    wasmtime_pooling_allocation_config_total_memories_set(pool, 4);
    wasmtime_pooling_allocation_config_total_core_instances_set(pool, 4);
    wasmtime_pooling_allocation_config_max_memory_size_set(pool, 1U << 20U);
    wasmtime_pooling_allocation_strategy_set(config, pool);
    wasmtime_pooling_allocation_config_delete(pool);
    engine_ = wasm_engine_new_with_config(config);
    store_ = wasmtime_store_new(engine_, nullptr, nullptr);
    wasm_byte_vec_t binary;
    EXPECT_EQ(wasmtime_wat2wasm(kGuest.data(), kGuest.size(), &binary), nullptr);
    EXPECT_EQ(wasmtime_module_new(engine_, reinterpret_cast<uint8_t*>(binary.data), binary.size,
                                  &module_),
              nullptr);
    wasm_byte_vec_delete(&binary);
    wasm_trap_t* trap = nullptr;
    EXPECT_EQ(wasmtime_instance_new(context(), module_, nullptr, 0, &instance_, &trap), nullptr);
    EXPECT_EQ(trap, nullptr);
  }

  ~Guest() {
    wasmtime_module_delete(module_);
    wasmtime_store_delete(store_);
    wasm_engine_delete(engine_);
  }

  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;

  // Calls an exported (i32, i32) -> i32. Returns the trap, owned by the caller, or nullptr and sets
  // `result`.
  wasm_trap_t* call(std::string_view name, int32_t a, int32_t b, int32_t* result) {
    wasmtime_extern_t item;
    EXPECT_TRUE(
        wasmtime_instance_export_get(context(), &instance_, name.data(), name.size(), &item));
    wasmtime_val_raw_t values[2] = {};
    values[0].i32 = a;
    values[1].i32 = b;
    wasm_trap_t* trap = nullptr;
    EXPECT_EQ(wasmtime_func_call_unchecked(context(), &item.of.func, values, 2, &trap), nullptr);
    *result = values[0].i32;
    return trap;
  }

 private:
  wasmtime_context_t* context() { return wasmtime_store_context(store_); }

  wasm_engine_t* engine_ = nullptr;
  wasmtime_store_t* store_ = nullptr;
  wasmtime_module_t* module_ = nullptr;
  wasmtime_instance_t instance_ = {};
};

TEST(Wasmtime, call_returns_sum) {
  Guest guest;
  int32_t result = 0;
  EXPECT_EQ(guest.call("add", 40, 2, &result), nullptr);
  EXPECT_EQ(result, 42);
}

TEST(Wasmtime, access_outside_memory_is_a_trap) {
  Guest guest;
  int32_t result = 0;
  wasm_trap_t* trap = guest.call("peek", 1 << 28, 0, &result);
  ASSERT_NE(trap, nullptr);
  wasmtime_trap_code_t code = 0;
  EXPECT_TRUE(wasmtime_trap_code(trap, &code));
  EXPECT_EQ(code, WASMTIME_TRAP_CODE_MEMORY_OUT_OF_BOUNDS);
  wasm_trap_delete(trap);
}

}  // namespace
