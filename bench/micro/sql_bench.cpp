// SPDX-License-Identifier: Apache-2.0

#include "sql/analyzer.hpp"

#include <benchmark/benchmark.h>

#include <string>

namespace helios::sql {
namespace {

constexpr std::string_view kPlain = "SELECT abalance FROM pgbench_accounts WHERE aid = 4711;";
constexpr std::string_view kTwo =
    "SELECT abalance FROM pgbench_accounts WHERE aid = 4711; SELECT helios.x FROM t";

void analyze_prefiltered(benchmark::State& state) {
  Analyzer analyzer(Analyzer::Options{});
  for (auto _ : state) benchmark::DoNotOptimize(analyzer.analyze(kPlain, ReadingRules{}));
}
BENCHMARK(analyze_prefiltered);

void analyze_cached(benchmark::State& state) {
  Analyzer analyzer(Analyzer::Options{});
  for (auto _ : state) benchmark::DoNotOptimize(analyzer.analyze(kTwo, ReadingRules{}));
}
BENCHMARK(analyze_cached);

void parse_two_statements(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(parse(kTwo, ReadingRules{}));
}
BENCHMARK(parse_two_statements);

}  // namespace
}  // namespace helios::sql
