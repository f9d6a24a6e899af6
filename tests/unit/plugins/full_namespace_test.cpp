// SPDX-License-Identifier: Apache-2.0

// A namespace that is full: what the operator is told, how often, and until when.

#include "plugins/supply/full_namespace.hpp"

#include "plugin_fixture.hpp"

#include <string>

namespace helios::plugins {
namespace {

using base::LogLevel;

class FullNamespaceTest : public PatientPluginTest {
 protected:
  // Each length of text is a key of its own.
  hooks::CallResult judge(std::size_t text_bytes) {
    WaitingExecutor home;
    Statement statement(chain, "acme", std::string(text_bytes, 'x'));
    TestCall call(plugin(chain, "insists"), statement, hooks::HookPoint::pre_query, home);
    call.start();
    home.run_until([&] { return call.done(); });
    return call.result();
  }

  void load_insists(const std::string& manifest = "") {
    add_guest("insists");
    if (!manifest.empty()) write_file("insists.toml", manifest);
    config_.limits.backoff_after_faults = 0;
    chain = load_ok();
  }

  std::shared_ptr<const hooks::Chain> chain;
};

TEST_F(FullNamespaceTest, failure_names_the_write_and_the_limit_beside_the_trap) {
  store_.set_limits({.max_keys_per_namespace = 2});
  load_insists();
  judge(1);
  judge(2);
  const std::string failure = judge(3).failure;
  EXPECT_TRUE(failure.starts_with("trap: unreachable [in ")) << failure;
  EXPECT_TRUE(
      failure.ends_with("; before that kv_set was refused: the namespace is full: its keys are 2, "
                        "[kv] max_keys_per_namespace = 2"))
      << failure;
  EXPECT_EQ(judge(1).status, hooks::CallResult::Status::ok);
}

TEST_F(FullNamespaceTest, failure_names_the_limit_of_bytes) {
  store_.set_limits({.max_bytes_per_namespace = 200});
  load_insists();
  judge(1);
  EXPECT_NE(judge(2).failure.find("its bytes are 136, [kv] max_bytes_per_namespace = 200"),
            std::string::npos);
  store_.set_limits({.max_total_bytes = 200});
  EXPECT_NE(judge(2).failure.find("the bytes of all are 136, [kv] max_total_bytes = 200"),
            std::string::npos);
  store_.set_limits({.max_value_bytes = 3});
  EXPECT_NE(judge(2).failure.find("kv_set was refused: the value is over [kv] max_value_bytes = 3"),
            std::string::npos);
  store_.set_limits({.max_key_bytes = 3});
  EXPECT_NE(judge(2).failure.find("[kv] max_key_bytes = 3"), std::string::npos);
}

TEST_F(FullNamespaceTest, log_says_so_once_in_a_minute) {
  store_.set_limits({.max_keys_per_namespace = 1});
  load_insists();
  judge(1);
  EXPECT_EQ(log_.count(LogLevel::error, "is full"), 0U);
  for (std::size_t i = 0; i < 5; ++i) judge(2 + i);
  EXPECT_EQ(log_.count(LogLevel::error,
                       "plugin insists: the namespace insists is full: its keys are 1, [kv] "
                       "max_keys_per_namespace = 1; statements"),
            1U);
  clock_.advance_ms(59'999);
  judge(2);
  EXPECT_EQ(log_.count(LogLevel::error, "is full"), 1U);
  clock_.advance_ms(1);
  judge(2);
  EXPECT_EQ(log_.count(LogLevel::error, "is full"), 2U);
}

TEST_F(FullNamespaceTest, host_knows_until_there_is_room_again) {
  store_.set_limits({.max_keys_per_namespace = 1});
  load_insists();
  judge(1);
  EXPECT_EQ(host_->why_full(), std::nullopt);  // nobody has wanted more
  judge(2);
  EXPECT_EQ(host_->why_full(),
            "the namespace insists of plugin insists is full: its keys are 1, [kv] "
            "max_keys_per_namespace = 1");
  store_.set_limits({.max_keys_per_namespace = 2});
  EXPECT_EQ(host_->why_full(), std::nullopt);
  judge(2);
  store_.set_limits({.max_keys_per_namespace = 1});
  EXPECT_EQ(host_->why_full(), std::nullopt);
}

TEST_F(FullNamespaceTest, plugin_that_allows_keeps_nobody_out) {
  store_.set_limits({.max_keys_per_namespace = 1});
  load_insists("on_error = \"allow\"");
  judge(1);
  judge(2);
  EXPECT_EQ(host_->why_full(), std::nullopt);
  EXPECT_EQ(log_.count(LogLevel::error, "what it has to write is lost"), 1U);
}

}  // namespace
}  // namespace helios::plugins
