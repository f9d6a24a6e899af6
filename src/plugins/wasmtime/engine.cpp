// SPDX-License-Identifier: Apache-2.0
#include "plugins/wasmtime/engine.hpp"

#include "plugins/wasmtime/linker.hpp"
#include "plugins/wasmtime/module.hpp"

#include <helios_wasmtime.h>

#include <algorithm>

#include <sys/mman.h>

namespace helios::plugins {

namespace detail {

namespace {

constexpr std::uint64_t kDefaultReservationBytes = 4ULL << 30;
constexpr std::uint64_t kGuardBytes = 32ULL << 20;
// Of host stack that guest code may use. A worker's stack is 8 MiB; running out of it would end the
// process, running out of this is a trap.
constexpr std::size_t kMaxWasmStackBytes = 256 * 1024;
// Kept mapped between two instances of a slot, which makes a fresh instance three times faster. Of
// these only the pages that were written to are written over, where the kernel can tell which.
constexpr std::size_t kMemoryKeptBytes = 256 * 1024;
constexpr std::size_t kTableKeptBytes = 64 * 1024;

std::uint64_t reservation_bytes(const EngineOptions& options) {
  const std::uint64_t wanted = options.memory_reservation_bytes == 0
                                   ? kDefaultReservationBytes
                                   : options.memory_reservation_bytes;
  return std::max(wanted, options.max_memory_bytes);
}

// Proposals that plugins do not need: each is code of the engine that a hostile module could reach.
void switch_off_proposals(wasm_config_t* config) {
  wasmtime_config_wasm_threads_set(config, false);
  wasmtime_config_shared_memory_set(config, false);
  wasmtime_config_wasm_tail_call_set(config, false);
  wasmtime_config_wasm_function_references_set(config, false);
  wasmtime_config_wasm_gc_set(config, false);
  wasmtime_config_wasm_exceptions_set(config, false);
  wasmtime_config_wasm_relaxed_simd_set(config, false);
  wasmtime_config_wasm_multi_memory_set(config, false);
  wasmtime_config_wasm_memory64_set(config, false);
  wasmtime_config_wasm_wide_arithmetic_set(config, false);
  wasmtime_config_wasm_custom_page_sizes_set(config, false);
  wasmtime_config_wasm_stack_switching_set(config, false);
}

void reserve_pool(wasm_config_t* config, const EngineOptions& options) {
  const std::unique_ptr<wasmtime_pooling_allocation_config_t,
                        Deleter<wasmtime_pooling_allocation_config_delete>>
      pool(wasmtime_pooling_allocation_config_new());
  const std::uint32_t count = options.max_instances;
  wasmtime_pooling_allocation_config_total_core_instances_set(pool.get(), count);
  wasmtime_pooling_allocation_config_total_memories_set(pool.get(), count);
  wasmtime_pooling_allocation_config_total_tables_set(pool.get(), count);
  wasmtime_pooling_allocation_config_max_unused_warm_slots_set(pool.get(), count);
  wasmtime_pooling_allocation_config_max_memories_per_module_set(pool.get(), 1);
  wasmtime_pooling_allocation_config_max_tables_per_module_set(pool.get(), 1);
  wasmtime_pooling_allocation_config_max_memory_size_set(pool.get(), options.max_memory_bytes);
  wasmtime_pooling_allocation_config_table_elements_set(pool.get(), options.max_table_elements);
  wasmtime_pooling_allocation_config_linear_memory_keep_resident_set(pool.get(), kMemoryKeptBytes);
  wasmtime_pooling_allocation_config_table_keep_resident_set(pool.get(), kTableKeptBytes);
  helios_pooling_allocation_config_reset_written_pages(pool.get());
  wasmtime_pooling_allocation_strategy_set(config, pool.get());
}

ConfigHandle make_config(const EngineOptions& options) {
  ConfigHandle config(wasm_config_new());
  switch_off_proposals(config.get());
  wasmtime_config_epoch_interruption_set(config.get(), true);
  wasmtime_config_max_wasm_stack_set(config.get(), kMaxWasmStackBytes);
  // Registering unwind tables would put a global lock before every C++ throw with this libgcc.
  wasmtime_config_native_unwind_info_set(config.get(), false);
  wasmtime_config_cranelift_opt_level_set(config.get(), WASMTIME_OPT_LEVEL_SPEED);
  wasmtime_config_memory_may_move_set(config.get(), false);
  wasmtime_config_memory_reservation_set(config.get(), reservation_bytes(options));
  wasmtime_config_memory_guard_size_set(config.get(), kGuardBytes);
  reserve_pool(config.get(), options);
  return config;
}

// The engine aborts the process when it cannot reserve its slots, so that is tried out first.
base::Result<void> probe_address_space(const EngineOptions& options) {
  const std::uint64_t bytes =
      options.max_instances * (reservation_bytes(options) + kGuardBytes) + kGuardBytes;
  void* const probe =
      mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (probe == MAP_FAILED)
    return base::fail(
        base::Errc::unavailable,
        "cannot reserve " + std::to_string(bytes >> 30) +
            " GiB of address space for plugin instances: raise the limit (ulimit -v), or lower "
            "plugins.pool_instances or plugins.memory_reservation_mb");
  munmap(probe, bytes);
  return {};
}

}  // namespace

base::Result<std::unique_ptr<WasmModule>> WasmtimeEngine::compile(std::string_view binary) const {
  return compile_module(core_, binary);
}

base::Result<std::string> WasmtimeEngine::assemble(std::string_view text) const {
  Bytes binary;
  const ErrorHandle error(wasmtime_wat2wasm(text.data(), text.size(), binary.out()));
  if (error) return base::fail(base::Errc::invalid, message_of(*error));
  return std::string(binary.begin(), binary.size());
}

}  // namespace detail

base::Result<std::shared_ptr<WasmEngine>> make_wasm_engine(
    const EngineOptions& options, std::span<const HostFunction> functions) {
  if (const auto room = detail::probe_address_space(options); !room)
    return std::unexpected(room.error());
  auto core = std::make_shared<detail::EngineCore>();
  core->engine.reset(wasm_engine_new_with_config(detail::make_config(options).release()));
  core->linker.reset(wasmtime_linker_new(core->engine.get()));
  for (const HostFunction& function : functions)
    detail::define_host_function(*core->linker, function);
  core->ticker =
      std::make_unique<detail::EpochTicker>(*core->engine, options.longest_deadline_ticks);
  return std::make_shared<detail::WasmtimeEngine>(std::move(core));
}

}  // namespace helios::plugins
