// SPDX-License-Identifier: Apache-2.0
//
// Whole hook calls: an instance, the guest, its reads and writes, the commit. `in_all` counts also what
// is done after the call, when the statement is on its way: making the next instances ready. `call`
// counts only what the statement waits for.

#include "bench/micro/wall_clock.hpp"
#include "exec/slow_lane.hpp"
#include "hooks/chain.hpp"
#include "kv/memory_store.hpp"
#include "plugins/plugin_host.hpp"

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace helios::plugins {
namespace {

class DropLog final : public base::Log {
 public:
  void write(base::LogLevel, std::string_view) override {}
  [[nodiscard]] bool enabled(base::LogLevel) const override { return false; }
};

// What a worker does when the call is through.
class Later final : public base::Executor {
 public:
  void post(base::Task task) override { tasks_.push_back(std::move(task)); }
  void run() {
    for (base::Task& task : tasks_) task();
    tasks_.clear();
  }

 private:
  std::vector<base::Task> tasks_;
};

// A host with one plugin, and a statement to run its hooks on.
class HookBench {
 public:
  explicit HookBench(const std::filesystem::path& plugin)
      : folder_(std::filesystem::temp_directory_path() /
                ("helios-bench-" + std::to_string(::getpid()))) {
    std::filesystem::create_directory(folder_);
    std::filesystem::copy(plugin, folder_ / plugin.filename());
    config::Plugins config;
    config.directory = folder_.string();
    host_ = std::make_unique<PluginHost>(config, store_, lane_, clock_, log_, 1'000'000);
    auto chain = host_->load();
    std::filesystem::remove_all(folder_);
    if (!chain) std::abort();
    auto context = std::make_shared<hooks::Context>();
    context->tenant_id = "acme";
    context->attributes = {{"tenant_id", "acme"}};
    statement_.context = std::move(context);
    statement_.text = "SELECT abalance FROM pgbench_accounts WHERE aid = 4711";
    statement_.chain = *std::move(chain);
  }

  void call() {
    if (run_.start(hooks::HookPoint::pre_query, statement_, false) != hooks::RunStatus::done ||
        run_.result().refused) {
      std::abort();  // a call that leaves the thread spoils the figure
    }
  }
  void finish() { later_.run(); }

 private:
  std::filesystem::path folder_;
  bench::WallClock clock_;
  DropLog log_;
  kv::MemoryStore store_{kv::Limits{}, clock_};
  exec::SlowLane lane_{1};
  std::unique_ptr<PluginHost> host_;
  Later later_;
  hooks::StatementExecution statement_;
  hooks::ChainRun run_{later_, [] {}};
};

void measure(benchmark::State& state, const std::filesystem::path& plugin) {
  HookBench bench(plugin);
  for (auto _ : state) {
    bench.call();
    bench.finish();
  }
}

void measure_call_alone(benchmark::State& state, const std::filesystem::path& plugin) {
  HookBench bench(plugin);
  for (auto _ : state) {
    const auto began = std::chrono::steady_clock::now();
    bench.call();
    state.SetIterationTime(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
    bench.finish();
  }
}

const std::filesystem::path kNothing = std::filesystem::path(HELIOS_BENCH_PLUGINS) / "nothing.wat";
const std::filesystem::path kCounter = std::filesystem::path(HELIOS_GUESTS) / "counter.wat";

BENCHMARK_CAPTURE(measure, hook_that_does_nothing / in_all, kNothing);
BENCHMARK_CAPTURE(measure_call_alone, hook_that_does_nothing / call, kNothing)->UseManualTime();
BENCHMARK_CAPTURE(measure, hook_that_counts / in_all, kCounter);
BENCHMARK_CAPTURE(measure_call_alone, hook_that_counts / call, kCounter)->UseManualTime();

}  // namespace
}  // namespace helios::plugins
