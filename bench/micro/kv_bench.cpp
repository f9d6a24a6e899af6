// SPDX-License-Identifier: Apache-2.0

#include "bench/micro/wall_clock.hpp"
#include "kv/memory_store.hpp"
#include "kv/transaction.hpp"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>

namespace helios::kv {
namespace {

// What a counter does: one key read, one written, committed. range(0): keys in the namespace.
void transaction_get_set_commit(benchmark::State& state) {
  bench::WallClock clock;
  MemoryStore store(Limits{}, clock);
  Namespace& space = **store.open("bench");
  Transaction transaction(store, space);
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    transaction.reset();
    if (transaction.set("tenant:" + std::to_string(i) + ":usage", "0") != WriteStatus::ok)
      std::abort();
    if (transaction.commit([](CommitStatus) {}) != CommitStatus::done) std::abort();
  }
  for (auto _ : state) {
    transaction.reset();
    std::string_view value;
    benchmark::DoNotOptimize(transaction.get("tenant:0:usage", value));
    benchmark::DoNotOptimize(transaction.set("tenant:0:usage", "1"));
    benchmark::DoNotOptimize(transaction.commit([](CommitStatus) {}));
  }
}
BENCHMARK(transaction_get_set_commit)->Arg(1)->Arg(1000)->Arg(100'000);

void transaction_get(benchmark::State& state) {
  bench::WallClock clock;
  MemoryStore store(Limits{}, clock);
  Transaction transaction(store, **store.open("bench"));
  for (auto _ : state) {
    transaction.reset();
    std::string_view value;
    benchmark::DoNotOptimize(transaction.get("tenant:0:usage", value));
  }
}
BENCHMARK(transaction_get);

}  // namespace
}  // namespace helios::kv
