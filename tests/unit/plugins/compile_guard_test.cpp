// SPDX-License-Identifier: Apache-2.0

// Modules that take too long to compile, with an engine that takes as long as a test wants.

#include "plugins/compile_guard.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>

namespace helios::plugins {
namespace {

using namespace std::chrono_literals;

// Refuses every module by its own text, once it is let go.
class SlowEngine : public WasmEngine {
 public:
  base::Result<std::unique_ptr<WasmModule>> compile(std::string_view binary) const override {
    gate_.wait();
    return base::fail(base::Errc::invalid, std::string(binary));
  }
  base::Result<std::string> assemble(std::string_view text) const override {
    return std::string(text);
  }
  void let_go() { open_.set_value(); }

 private:
  std::promise<void> open_;
  std::shared_future<void> gate_ = open_.get_future().share();
};

class CompileGuardTest : public ::testing::Test {
 protected:
  base::Error compile(std::string_view binary, std::chrono::milliseconds limit) {
    const auto compiled = guard_.compile(engine_, std::string(binary), limit);
    EXPECT_FALSE(compiled);
    return compiled.error();
  }
  void wait_until_idle() {
    while (guard_.is_busy()) std::this_thread::sleep_for(1ms);
  }

  std::shared_ptr<SlowEngine> engine_ = std::make_shared<SlowEngine>();
  CompileGuard guard_;
};

TEST_F(CompileGuardTest, result_in_time_is_the_engines) {
  engine_->let_go();
  EXPECT_EQ(compile("one", 60s).message, "one");
  EXPECT_EQ(compile("two", 60s).message, "two");
  EXPECT_FALSE(guard_.is_busy());
}

TEST_F(CompileGuardTest, module_that_takes_too_long_is_given_up) {
  const base::Error error = compile("one", 1ms);
  EXPECT_EQ(error.code, base::Errc::limit_exceeded);
  EXPECT_EQ(error.message, "does not compile within 1 ms");
  EXPECT_TRUE(guard_.is_busy());
  engine_->let_go();
  wait_until_idle();
}

TEST_F(CompileGuardTest, nothing_is_compiled_beside_a_module_that_was_given_up) {
  compile("one", 1ms);
  const base::Error error = compile("two", 60s);
  EXPECT_EQ(error.code, base::Errc::unavailable);
  EXPECT_NE(error.message.find("an earlier module"), std::string::npos);
  engine_->let_go();
  wait_until_idle();
  EXPECT_EQ(compile("three", 60s).message, "three");
}

TEST_F(CompileGuardTest, guard_may_end_before_the_thread_that_it_left_behind) {
  std::weak_ptr<SlowEngine> engine = engine_;
  {
    CompileGuard guard;
    EXPECT_FALSE(guard.compile(engine_, "one", 1ms));
  }
  engine_->let_go();
  engine_.reset();
  while (!engine.expired()) std::this_thread::sleep_for(1ms);
}

}  // namespace
}  // namespace helios::plugins
