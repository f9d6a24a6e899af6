// SPDX-License-Identifier: Apache-2.0
//
// Reloads happen one at a time, and are over only when the new snapshot is in force.

#include "app/reloader.hpp"

#include "support/capture_log.hpp"
#include "support/fault_log.hpp"
#include "support/manual_executor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <vector>

namespace helios::app {
namespace {

class ReloaderTest : public testing::Test {
 protected:
  ReloaderTest() : reloader_(make_steps(), background_, control_, log_, faults_) {}

  ReloadSteps make_steps() {
    ReloadSteps steps;
    steps.load = [this] {
      ++loads_;
      if (fault_ == "load") throw std::runtime_error("planted");
      return LoadedSnapshot{{config_, chain_}, {}, report_, is_refused_};
    };
    steps.install = [this](const LoadedSnapshot& loaded, base::Task done) {
      if (fault_ == "install") throw std::runtime_error("planted");
      installed_.push_back(loaded.snapshot);
      in_force_ = std::move(done);
    };
    steps.on_begin = [this] { told_.emplace_back("begins"); };
    steps.on_end = [this](const std::string& outcome) { told_.push_back(outcome); };
    return steps;
  }

  Reloader::OnReloaded record() {
    return
        [this](base::Result<admin::ReloadReport> result) { results_.push_back(std::move(result)); };
  }

  // Runs a reload up to the point where the workers have the new chain.
  void run_to_the_end() {
    background_.run_all();
    control_.run_all();
    ASSERT_TRUE(in_force_);
    std::exchange(in_force_, {})();
  }

  test::ManualExecutor background_;
  test::ManualExecutor control_;
  test::CaptureLog log_;
  std::shared_ptr<const hooks::Chain> chain_ =
      std::make_shared<hooks::Chain>(std::vector<std::shared_ptr<hooks::Plugin>>{});
  std::shared_ptr<const config::Config> config_ =
      std::make_shared<const config::Config>(config::default_config());
  test::FaultLog faults_;
  std::string fault_;  // the step that throws
  admin::ReloadReport report_;
  bool is_refused_ = false;
  int loads_ = 0;
  std::vector<std::string> told_;
  std::vector<session::Snapshot> installed_;
  base::Task in_force_;
  std::vector<base::Result<admin::ReloadReport>> results_;
  Reloader reloader_;
};

TEST_F(ReloaderTest, step_that_throws_ends_the_reload_and_the_next_one_works) {
  for (const char* step : {"load", "install"}) {
    fault_ = step;
    results_.clear();
    reloader_.request(record());
    reloader_.request_soon();
    background_.run_all();
    fault_ = step == std::string("load") ? "" : fault_;
    control_.run_all();
    ASSERT_EQ(results_.size(), 1U) << step;
    EXPECT_EQ(results_[0].error().message, "an internal fault ended the reload, see the log");
    fault_.clear();
    run_to_the_end();  // the one that was to come soon
    reloader_.request(record());
    run_to_the_end();
    ASSERT_EQ(results_.size(), 2U) << step;
    EXPECT_TRUE(results_[1]) << step;
  }
  EXPECT_EQ(std::ranges::count(told_, "begins"), std::ssize(told_) / 2);
  EXPECT_EQ(faults_.lines(), (std::vector<std::string>{"reload: planted", "reload: planted"}));
}

TEST_F(ReloaderTest, reload_loads_in_the_background_and_ends_when_in_force) {
  reloader_.request(record());
  EXPECT_EQ(loads_, 0);
  background_.run_all();
  EXPECT_EQ(loads_, 1);
  EXPECT_TRUE(installed_.empty());
  control_.run_all();
  ASSERT_EQ(installed_.size(), 1U);
  EXPECT_EQ(installed_[0].chain, chain_);
  EXPECT_EQ(installed_[0].config, config_);
  EXPECT_TRUE(results_.empty());
  in_force_();
  ASSERT_EQ(results_.size(), 1U);
  EXPECT_TRUE(results_[0]);
}

TEST_F(ReloaderTest, errors_are_told_and_the_rest_is_in_force_all_the_same) {
  report_.errors = {"plugin a.wasm: broken", "plugin b.wasm: broken too"};
  report_.changes = {{.kind = "kept",
                      .name = "c",
                      .version = {},
                      .sha256 = {},
                      .old_version = {},
                      .old_sha256 = {}}};
  reloader_.request(record());
  run_to_the_end();
  ASSERT_EQ(results_.size(), 1U);
  ASSERT_TRUE(results_[0]);
  EXPECT_EQ(results_[0]->errors, report_.errors);
  ASSERT_EQ(results_[0]->changes.size(), 1U);
  EXPECT_EQ(results_[0]->changes[0].name, "c");
  EXPECT_EQ(installed_.size(), 1U);
  EXPECT_EQ(log_.count(base::LogLevel::info, "reloaded: 0 plugins in force"), 1U);
}

TEST_F(ReloaderTest, refused_reload_is_an_error_with_a_line_for_each_reason) {
  is_refused_ = true;
  report_.errors = {"one is missing", "two is another"};
  reloader_.request(record());
  run_to_the_end();
  ASSERT_EQ(results_.size(), 1U);
  ASSERT_FALSE(results_[0]);
  EXPECT_EQ(results_[0].error().code, base::Errc::invalid);
  EXPECT_EQ(results_[0].error().message, "one is missing\ntwo is another");
  EXPECT_EQ(told_,
            (std::vector<std::string>{"begins", "not reloaded: 0 plugins in force, as before"}));
  EXPECT_EQ(log_.count(base::LogLevel::error, "not reloaded: 0 plugins in force, as before"), 1U);
}

TEST_F(ReloaderTest, second_request_meanwhile_is_refused) {
  reloader_.request(record());
  reloader_.request(record());
  ASSERT_EQ(results_.size(), 1U);
  EXPECT_EQ(results_[0].error().code, base::Errc::unavailable);
  run_to_the_end();
  EXPECT_EQ(results_.size(), 2U);
  EXPECT_TRUE(results_[1]);
  reloader_.request(record());
  run_to_the_end();
  EXPECT_TRUE(results_[2]);
  EXPECT_EQ(loads_, 2);
}

TEST_F(ReloaderTest, signals_meanwhile_make_one_more_reload) {
  reloader_.request_soon();
  background_.run_all();
  reloader_.request_soon();
  reloader_.request_soon();
  control_.run_all();
  in_force_();
  EXPECT_EQ(loads_, 1);
  run_to_the_end();
  EXPECT_EQ(loads_, 2);
  EXPECT_EQ(background_.size(), 0U);
}

}  // namespace
}  // namespace helios::app
