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
#include <fstream>
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

enum class Instance { fresh, reused };

// A host with one plugin, and a statement to run its hooks on.
class HookBench {
 public:
  HookBench(const std::filesystem::path& plugin, Instance instance)
      : folder_(std::filesystem::temp_directory_path() /
                ("helios-bench-" + std::to_string(::getpid()))) {
    std::filesystem::create_directory(folder_);
    std::filesystem::copy(plugin, folder_ / plugin.filename());
    if (instance == Instance::reused) {
      auto manifest = folder_ / plugin.filename();
      std::ofstream(manifest.replace_extension(".toml")) << "instance = \"reuse\"\n";
    }
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

void measure(benchmark::State& state, const std::filesystem::path& plugin, Instance instance) {
  HookBench bench(plugin, instance);
  for (auto _ : state) {
    bench.call();
    bench.finish();
  }
}

void measure_call_alone(benchmark::State& state, const std::filesystem::path& plugin) {
  HookBench bench(plugin, Instance::fresh);
  for (auto _ : state) {
    const auto began = std::chrono::steady_clock::now();
    bench.call();
    state.SetIterationTime(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
    bench.finish();
  }
}

const std::filesystem::path kPlugins = HELIOS_BENCH_PLUGINS;
const std::filesystem::path kGuests = HELIOS_GUESTS;

// clang-format off
BENCHMARK_CAPTURE(measure, nothing/abi1/in_all, kPlugins / "nothing.wat", Instance::fresh);
BENCHMARK_CAPTURE(measure_call_alone, nothing/abi1/call, kPlugins / "nothing.wat")->UseManualTime();
BENCHMARK_CAPTURE(measure, nothing/abi2/in_all, kPlugins / "nothing2.wat", Instance::fresh);
BENCHMARK_CAPTURE(measure_call_alone, nothing/abi2/call, kPlugins / "nothing2.wat")->UseManualTime();
BENCHMARK_CAPTURE(measure, nothing/abi2/reused, kPlugins / "nothing2.wat", Instance::reused);
BENCHMARK_CAPTURE(measure, counter/abi1/in_all, kGuests / "counter.wat", Instance::fresh);
BENCHMARK_CAPTURE(measure_call_alone, counter/abi1/call, kGuests / "counter.wat")->UseManualTime();
BENCHMARK_CAPTURE(measure, counter/abi2/in_all, kGuests / "counter2.wat", Instance::fresh);
BENCHMARK_CAPTURE(measure_call_alone, counter/abi2/call, kGuests / "counter2.wat")->UseManualTime();
BENCHMARK_CAPTURE(measure, counter/abi2/reused, kGuests / "counter2.wat", Instance::reused);
BENCHMARK_CAPTURE(measure, kv_get_kv_set/abi2/reused, kPlugins / "getset2.wat", Instance::reused);
BENCHMARK_CAPTURE(measure, kv_incr/abi2/reused, kPlugins / "incr2.wat", Instance::reused);
BENCHMARK_CAPTURE(measure, kv_take/abi2/reused, kPlugins / "take2.wat", Instance::reused);
// clang-format on

// One item is one operation: with a hundred of them the call itself hardly shows.
void measure_operations(benchmark::State& state, const std::filesystem::path& plugin) {
  measure(state, plugin, Instance::fresh);
  state.SetItemsProcessed(state.iterations() * 100);
}
BENCHMARK_CAPTURE(measure_operations, kv_get, kPlugins / "reads_often.wat");
BENCHMARK_CAPTURE(measure_operations, kv_set, kPlugins / "writes_often.wat");

}  // namespace
}  // namespace helios::plugins
