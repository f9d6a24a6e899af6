// SPDX-License-Identifier: Apache-2.0
//
// What the parts count arrives in the metrics text under its public name.

#include "app/metrics_sources.hpp"

#include "kv/memory_store.hpp"
#include "support/append_record.hpp"
#include "support/fake_clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::app {
namespace {

using testing::HasSubstr;

TEST(MetricsSources, workers_are_added_up) {
  net::WorkerStats one;
  net::WorkerStats two;
  one.sessions_opened.add(3);
  one.sessions_closed.add(1);
  two.sessions_opened.add(5);
  one.bytes_from_clients.add(100);
  two.bytes_to_servers.add(7);
  two.refused.add(2);
  one.texts_cached.add(9);
  one.round_seconds.observe(0.001);
  two.round_seconds.observe(0.002);
  one.timings.statements.observe_ns(1'000'000);
  two.timings.statements.observe_ns(2'000'000);
  two.timings.waits_for_work.observe_ns(1);
  metrics::Registry registry;
  const auto first = registry.add_source(worker_metrics(one, 0));
  const auto second = registry.add_source(worker_metrics(two, 1));
  const auto text = registry.render();
  for (const auto* line :
       {"helios_sessions 7\n", "helios_sessions_total 8\n",
        "helios_bytes_total{direction=\"in\",peer=\"client\"} 100\n",
        "helios_bytes_total{direction=\"out\",peer=\"server\"} 7\n", "helios_refused_total 2\n",
        "helios_query_texts_total{read=\"cached\"} 9\n",
        "helios_worker_round_seconds_count{worker=\"1\"} 1\n", "helios_statement_seconds_count 2\n",
        "helios_statement_seconds_sum 0.003\n",
        "helios_wait_seconds_count{waits_for=\"work\"} 1\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(MetricsSources, namespaces_are_listed_with_their_usage) {
  test::FakeClock clock;
  kv::MemoryStore store(kv::Limits{}, clock);
  ASSERT_TRUE(store.open("counter"));
  test::append_record(store, "counter", "trail", "x");
  metrics::Registry registry;
  const auto source = registry.add_source(store_metrics(store));
  const auto text = registry.render();
  EXPECT_THAT(text, HasSubstr("helios_kv_keys{namespace=\"counter\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("helios_kv_stream_bytes{namespace=\"counter\"} 97\n"));
  EXPECT_THAT(text, HasSubstr("helios_kv_max_stream_bytes 17179869184\n"));
  EXPECT_THAT(text, HasSubstr("helios_kv_limit_bytes 1073741824\n"));
  EXPECT_THAT(text, HasSubstr("helios_kv_healthy 1\n"));
}

TEST(MetricsSources, process_tells_its_version) {
  exec::SlowLane lane(1);
  metrics::Registry registry;
  const auto source = registry.add_source(process_metrics(lane));
  EXPECT_THAT(registry.render(),
              HasSubstr("helios_build_info{version=\"" HELIOS_VERSION "\"} 1\n"));
}

}  // namespace
}  // namespace helios::app
