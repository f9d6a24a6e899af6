// SPDX-License-Identifier: Apache-2.0
// What a scrape shows: sums over sources, order, text form, and that bad names cannot spoil it.

#include "metrics/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <thread>

namespace helios::metrics {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Registry, render_of_nothing_is_empty) {
  const Registry registry;
  EXPECT_EQ(registry.render(), "");
}

TEST(Registry, counter_of_several_sources_is_their_sum) {
  Registry registry;
  std::array<Counter, 3> workers;
  std::array<Registration, 3> registrations;
  for (std::size_t i = 0; i < workers.size(); ++i) {
    registrations[i] = registry.add_source([&counter = workers[i]](std::vector<Family>& out) {
      out.push_back(counter_family("helios_queries_total", "Queries.", counter.value()));
    });
  }
  workers[0].add(5);
  workers[2].add();
  EXPECT_EQ(registry.render(),
            "# HELP helios_queries_total Queries.\n"
            "# TYPE helios_queries_total counter\n"
            "helios_queries_total 6\n");
}

TEST(Registry, series_with_different_labels_stay_apart) {
  Registry registry;
  const auto registration = registry.add_source([](std::vector<Family>& out) {
    out.push_back(gauge_family("helios_x", "X.", 1, {{"plugin", "b"}}));
    out.push_back(gauge_family("helios_x", "X.", 2, {{"plugin", "a"}}));
    out.push_back(gauge_family("helios_x", "X.", 3, {{"plugin", "b"}}));
  });
  EXPECT_EQ(registry.render(),
            "# HELP helios_x X.\n"
            "# TYPE helios_x gauge\n"
            "helios_x{plugin=\"a\"} 2\n"
            "helios_x{plugin=\"b\"} 4\n");
}

TEST(Registry, label_order_does_not_make_another_series) {
  Registry registry;
  const auto registration = registry.add_source([](std::vector<Family>& out) {
    out.push_back(gauge_family("helios_x", "X.", 1, {{"a", "1"}, {"b", "2"}}));
    out.push_back(gauge_family("helios_x", "X.", 1, {{"b", "2"}, {"a", "1"}}));
  });
  EXPECT_THAT(registry.render(), HasSubstr("helios_x{a=\"1\",b=\"2\"} 2\n"));
}

TEST(Registry, histogram_buckets_are_cumulative_and_end_with_infinity) {
  Registry registry;
  constexpr std::array kBounds = {0.5, 1.0};
  Histogram histogram(kBounds);
  histogram.observe(0.25);
  histogram.observe(0.75);
  histogram.observe(8);
  const auto registration = registry.add_source([&](std::vector<Family>& out) {
    out.push_back(histogram_family("helios_t_seconds", "T.", histogram.snapshot()));
  });
  EXPECT_EQ(registry.render(),
            "# HELP helios_t_seconds T.\n"
            "# TYPE helios_t_seconds histogram\n"
            "helios_t_seconds_count 3\n"
            "helios_t_seconds_sum 9\n"
            "helios_t_seconds_bucket{le=\"0.5\"} 1\n"
            "helios_t_seconds_bucket{le=\"1\"} 2\n"
            "helios_t_seconds_bucket{le=\"+Inf\"} 3\n");
}

TEST(Registry, text_from_outside_is_escaped) {
  Registry registry;
  const auto registration = registry.add_source([](std::vector<Family>& out) {
    out.push_back(gauge_family("helios_x", "one\ntwo", 1, {{"plugin", "a\"b\\c\nd"}}));
  });
  EXPECT_EQ(registry.render(),
            "# HELP helios_x one\\ntwo\n"
            "# TYPE helios_x gauge\n"
            "helios_x{plugin=\"a\\\"b\\\\c\\nd\"} 1\n");
}

TEST(Registry, invalid_names_and_clashing_kinds_are_left_out) {
  Registry registry;
  const auto registration = registry.add_source([](std::vector<Family>& out) {
    out.push_back(gauge_family("helios_good", "Good.", 1));
    out.push_back(counter_family("helios_good", "Bad.", 100));
    out.push_back(gauge_family("helios bad", "Bad.", 1));
    out.push_back(gauge_family("9helios", "Bad.", 1));
    out.push_back(gauge_family("helios_label", "Bad.", 1, {{"no-dash", "x"}}));
    out.push_back(gauge_family("helios_reserved", "Bad.", 1, {{"__name", "x"}}));
  });
  EXPECT_EQ(registry.render(),
            "# HELP helios_good Good.\n"
            "# TYPE helios_good gauge\n"
            "helios_good 1\n");
}

TEST(Registry, source_whose_registration_ended_is_not_asked) {
  Registry registry;
  {
    const auto registration = registry.add_source(
        [](std::vector<Family>& out) { out.push_back(gauge_family("helios_gone", "Gone.", 1)); });
    EXPECT_THAT(registry.render(), HasSubstr("helios_gone 1"));
  }
  EXPECT_THAT(registry.render(), Not(HasSubstr("helios_gone")));
}

TEST(Registry, moved_registration_keeps_the_source_once) {
  Registry registry;
  Registration outer;
  {
    Registration inner = registry.add_source(
        [](std::vector<Family>& out) { out.push_back(gauge_family("helios_kept", "Kept.", 1)); });
    outer = std::move(inner);
  }
  EXPECT_THAT(registry.render(), HasSubstr("helios_kept 1\n"));
  outer = Registration();
  EXPECT_EQ(registry.render(), "");
}

TEST(Registry, owned_numbers_with_equal_names_are_one_object) {
  Registry registry;
  SharedCounter& counter = registry.counter("helios_reloads_total", "Reloads.", {{"ok", "yes"}});
  EXPECT_EQ(&counter, &registry.counter("helios_reloads_total", "Reloads.", {{"ok", "yes"}}));
  EXPECT_NE(&counter, &registry.counter("helios_reloads_total", "Reloads.", {{"ok", "no"}}));
  counter.add(2);
  Gauge& gauge = registry.gauge("helios_clients", "Clients.");
  gauge.add(5);
  gauge.add(-2);
  EXPECT_EQ(registry.render(),
            "# HELP helios_clients Clients.\n"
            "# TYPE helios_clients gauge\n"
            "helios_clients 3\n"
            "# HELP helios_reloads_total Reloads.\n"
            "# TYPE helios_reloads_total counter\n"
            "helios_reloads_total{ok=\"no\"} 0\n"
            "helios_reloads_total{ok=\"yes\"} 2\n");
}

TEST(Registry, scrape_beside_writers_loses_nothing) {
  constexpr std::uint64_t kAdditions = 10'000;
  Registry registry;
  Counter one;
  Counter other;
  const auto registration = registry.add_source([&](std::vector<Family>& out) {
    out.push_back(counter_family("helios_n_total", "N.", one.value()));
    out.push_back(counter_family("helios_n_total", "N.", other.value()));
  });
  const auto count = [](Counter& counter) {
    for (std::uint64_t i = 0; i < kAdditions; ++i) counter.add();
  };
  std::thread first(count, std::ref(one));
  std::thread second(count, std::ref(other));
  for (int i = 0; i < 20; ++i) EXPECT_THAT(registry.render(), HasSubstr("helios_n_total "));
  first.join();
  second.join();
  EXPECT_THAT(registry.render(), HasSubstr("helios_n_total 20000\n"));
}

}  // namespace
}  // namespace helios::metrics
