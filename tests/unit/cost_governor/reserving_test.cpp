// SPDX-License-Identifier: Apache-2.0

// Goal: the reserving mode never spends more than the budget, and gives back whatever was not used. Method: the
// plugin itself behind the fake host; statements in flight are pre_query calls whose post_query comes later.

#include "cost-governor/policy.hpp"
#include "helios/fake_host.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace helios::cost_governor {
namespace {

using plugin::FakeHost;
using plugin::FakeOutcome;
using plugin::FakeQuery;

class Reserving : public testing::Test {
 protected:
  Reserving() {
    host_.state["tenant:acme:budget"] = R"({"minute":1.0})";
    host_.state["config:reserve"] = R"({"cost":0.25})";
  }

  // Lets a statement begin; what pre_query kept for it is remembered. "" when it may run.
  std::string begin() {
    host_.scratch.clear();
    const std::string refusal = host_.pre_query(FakeQuery("SELECT 1").tenant("acme"));
    if (refusal.empty()) in_flight_.push_back(host_.scratch);
    return refusal;
  }
  void end(int64_t elapsed_us, const std::string& outcome = "executed") {
    host_.scratch = in_flight_.back();
    in_flight_.pop_back();
    host_.post_query(FakeQuery("SELECT 1").tenant("acme"),
                     {.outcome = outcome, .elapsed_us = elapsed_us, .response_bytes = 0});
  }
  double spent() {
    return parse_usage(plugin::from_std(host_.state["tenant:acme:usage"])).spent[0];
  }

  FakeHost host_;
  std::vector<std::string> in_flight_;
};

TEST_F(Reserving, statements_in_flight_cannot_pass_on_the_same_rest) {
  for (int i = 0; i < 4; ++i) EXPECT_EQ(begin(), "");
  EXPECT_EQ(begin(), "tenant exceeded minute budget (1.00/1.00) (retry in 60s)");
  EXPECT_DOUBLE_EQ(spent(), 1.0);
  for (int i = 0; i < 4; ++i) end(10'000);
  EXPECT_NEAR(spent(), 0.04, 1e-9);
  EXPECT_EQ(begin(), "");
}

TEST_F(Reserving, as_many_fit_as_the_figures_say) {
  host_.state["config:reserve"] = R"({"cost":0.05})";
  for (int i = 0; i < 20; ++i) EXPECT_EQ(begin(), "") << i;
  EXPECT_NE(begin(), "");
}

TEST_F(Reserving, reservation_is_given_back_where_it_is_certain_what_was_used) {
  for (const char* const outcome : {"executed", "failed", "refused", "skipped", "answered"}) {
    ASSERT_EQ(begin(), "");
    end(0, outcome);
    EXPECT_NEAR(spent(), 0, 1e-9) << outcome;
  }
}

TEST_F(Reserving, reservation_of_what_may_have_run_stays) {
  for (const char* const outcome : {"lost", "unknown"}) {
    ASSERT_EQ(begin(), "");
    end(1'000, outcome);
  }
  EXPECT_NEAR(spent(), 0.5, 1e-9);
  ASSERT_EQ(begin(), "");
  end(400'000, "lost");  // longer than was reserved
  EXPECT_NEAR(spent(), 0.9, 1e-9);
}

TEST_F(Reserving, window_that_ended_took_its_reservations_with_it) {
  ASSERT_EQ(begin(), "");
  host_.now_ms += 60'000;
  ASSERT_EQ(begin(), "");
  EXPECT_DOUBLE_EQ(spent(), 0.25);
  std::swap(in_flight_[0], in_flight_[1]);
  end(1'000);  // of the first: nothing to give back in this window
  EXPECT_NEAR(spent(), 0.251, 1e-9);
  end(1'000);
  EXPECT_NEAR(spent(), 0.002, 1e-9);
}

TEST_F(Reserving, tenant_without_a_budget_is_charged_as_before) {
  host_.state.erase("tenant:acme:budget");
  ASSERT_EQ(begin(), "");
  EXPECT_EQ(host_.scratch, "");
  end(2'000);
  EXPECT_NEAR(spent(), 0.002, 1e-9);
}

TEST_F(Reserving, reserve_of_0_changes_nothing) {
  host_.state["config:reserve"] = R"({"cost":0})";
  ASSERT_EQ(begin(), "");
  EXPECT_EQ(host_.scratch, "");
  end(1'000);
  EXPECT_NEAR(spent(), 0.001, 1e-9);
}

TEST(Reservation, is_read_as_it_was_written) {
  const Reservation reservation{0.1, {1, 22, 333}};
  const Reservation read = parse_reservation(format_reservation(reservation));
  EXPECT_EQ(read.cost, 0.1);
  EXPECT_EQ(read.start_ms[2], 333);
  for (const char* const notes : {"", "0.1", "0.1 1 2", "x 1 2 3", "0.1 1 2 x"})
    EXPECT_EQ(parse_reservation(notes).cost, 0) << notes;
}

}  // namespace
}  // namespace helios::cost_governor
