// SPDX-License-Identifier: Apache-2.0
//
// Work that is deferred to the end of a round, on every engine and on the simulated one: it runs once, in its turn, and
// not at all when its object is gone.

#include "support/fault_log.hpp"
#include "unit/net/net_support.hpp"
#include "unit/net/simulated_engine.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <stdexcept>

namespace helios::net {
namespace {

// nullopt: the simulated one.
class DeferredTest : public testing::TestWithParam<std::optional<TestEngine>> {
 protected:
  static std::vector<std::optional<TestEngine>> all() {
    std::vector<std::optional<TestEngine>> kinds{std::nullopt};
    for (const auto kind : engines_for_test()) kinds.emplace_back(kind);
    return kinds;
  }
  std::unique_ptr<Engine> make_engine() {
    if (GetParam()) return make_engine_for_test(*GetParam());
    return std::make_unique<SimulatedEngine>(clock_);
  }

  test::FakeClock clock_;
  std::unique_ptr<Engine> engine_ = make_engine();

 public:
  static auto kinds() { return testing::ValuesIn(all()); }
};
INSTANTIATE_TEST_SUITE_P(/* no prefix */, DeferredTest, DeferredTest::kinds(),
                         [](const auto& instance) {
                           return instance.param ? name_of(*instance.param) : "simulated";
                         });

class Turn final : public Deferred {
 public:
  explicit Turn(std::function<void()> work) : work_(std::move(work)) {}
  void on_turn() override { work_(); }

 private:
  std::function<void()> work_;
};

TEST_P(DeferredTest, runs_once_in_the_round_in_which_it_was_deferred_behind_what_is_reported) {
  std::string ran;
  Turn turn([&] { ran += 'd'; });
  engine_->mailbox().post([&] {
    engine_->defer(turn);
    engine_->defer(turn);
    ran += 't';
  });
  engine_->run_once(0);
  EXPECT_EQ(ran, "td");
  run_until_idle(*engine_);
  EXPECT_EQ(ran, "td");
}

TEST_P(DeferredTest, is_never_run_from_inside_the_call) {
  bool has_run = false;
  Turn turn([&] { has_run = true; });
  engine_->defer(turn);
  EXPECT_FALSE(has_run);
  EXPECT_TRUE(turn.is_deferred());
  // Deferred between two rounds: the next one does not wait.
  engine_->run_once(Engine::kNoLimit);
  EXPECT_TRUE(has_run);
  EXPECT_FALSE(turn.is_deferred());
}

TEST_P(DeferredTest, keeps_the_order) {
  std::string ran;
  Turn a([&] { ran += 'a'; });
  Turn b([&] { ran += 'b'; });
  Turn c([&] { ran += 'c'; });
  for (auto* turn : {&b, &a, &c}) engine_->defer(*turn);
  engine_->run_once(0);
  EXPECT_EQ(ran, "bac");
}

TEST_P(DeferredTest, one_that_defers_itself_leaves_the_round_to_others) {
  int turns = 0;
  Turn turn([&] {
    ++turns;
    engine_->defer(turn);
  });
  engine_->defer(turn);
  for (int round = 1; round <= 3; ++round) {
    engine_->run_once(Engine::kNoLimit);
    EXPECT_EQ(turns, round);
  }
}

TEST_P(DeferredTest, destroyed_object_is_forgotten_and_so_is_one_that_says_so) {
  std::string ran;
  Turn first([&] { ran += 'a'; });
  Turn last([&] { ran += 'z'; });
  engine_->defer(first);
  {
    Turn gone([&] { ran += 'x'; });
    engine_->defer(gone);
    engine_->defer(last);
  }
  first.forget();
  engine_->run_once(0);
  EXPECT_EQ(ran, "z");
}

TEST_P(DeferredTest, turn_may_destroy_itself_and_those_behind_it) {
  std::string ran;
  std::unique_ptr<Turn> self;
  std::unique_ptr<Turn> next;
  Turn last([&] { ran += 'c'; });
  self = std::make_unique<Turn>([&] {
    ran += 'a';
    next.reset();
    // Its own code goes with it: nothing of it is touched behind this.
    auto* engine = engine_.get();
    auto moved = std::move(self);
    engine->dispose(std::move(moved));
  });
  next = std::make_unique<Turn>([&] { ran += 'b'; });
  for (auto* turn : {self.get(), next.get(), &last}) engine_->defer(*turn);
  engine_->run_once(0);
  EXPECT_EQ(ran, "ac");
}

TEST_P(DeferredTest, what_is_disposed_of_goes_at_the_end_of_the_round_without_a_turn) {
  struct Noted final : Deferred {
    explicit Noted(std::string& to) : log(to) {}
    ~Noted() override { log += '~'; }
    void on_turn() override { log += 'x'; }
    std::string& log;
  };
  std::string ran;
  Turn turn([&] { ran += 'd'; });
  engine_->mailbox().post([&] {
    auto noted = std::make_unique<Noted>(ran);
    engine_->defer(*noted);
    engine_->dispose(std::move(noted));
    engine_->defer(turn);
    ran += 't';
  });
  engine_->run_once(0);
  EXPECT_EQ(ran, "td~");
  // The last one goes with the engine.
  engine_->dispose(std::make_unique<Noted>(ran));
  engine_.reset();
  EXPECT_EQ(ran, "td~~");
}

TEST_P(DeferredTest, what_a_turn_throws_is_reported_and_the_others_have_theirs) {
  test::FaultLog faults;
  engine_->report_faults_to(faults);
  bool has_run = false;
  Turn bad([] { throw std::runtime_error("of a turn"); });
  Turn good([&] { has_run = true; });
  engine_->defer(bad);
  engine_->defer(good);
  engine_->run_once(0);
  EXPECT_TRUE(has_run);
  EXPECT_EQ(faults.lines(), std::vector<std::string>{"network: of a turn"});
}

}  // namespace
}  // namespace helios::net
