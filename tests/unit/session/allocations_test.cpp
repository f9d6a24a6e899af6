// SPDX-License-Identifier: Apache-2.0
// Goal: in the steady state no memory is allocated for a query, whatever its protocol, with a plugin and
// without one.
#include "extended_messages.hpp"
#include "support/allocation_counter.hpp"

#include <gtest/gtest.h>

namespace helios::session::test {
namespace {

// Longer than what a string keeps in itself.
constexpr std::string_view kText = "select abalance from pgbench_accounts where aid = $1";
constexpr int kRounds = 50;

struct Allocations : testing::Test {
  std::unique_ptr<SessionHarness> harness;
  Actions actions;  // of every event, as in the proxy

  void connect(bool with_plugin) {
    Options options;
    options.config.plugins.directory = with_plugin ? "plugins" : "";
    if (with_plugin) {
      options.plugins = {std::make_shared<NativePlugin>(hooks::PluginTraits{
          .name = "p", .has_pre_query = true, .has_post_query = true, .has_settled = true})};
    }
    harness = std::make_unique<SessionHarness>(std::move(options));
    harness->connect();
  }
  void exchange(const std::string& question, const std::string& answer) {
    harness->session->on_client_bytes(question, actions);
    actions.clear();
    harness->session->on_server_bytes(answer, actions);
    actions.clear();
  }
  // How often memory is allocated in kRounds rounds, after as many.
  std::size_t allocations(const std::string& question, const std::string& answer) {
    for (int i = 0; i < kRounds; ++i) exchange(question, answer);
    const std::size_t before = helios::test::allocation_count();
    EXPECT_GT(before, 0U) << "nobody counts";
    for (int i = 0; i < kRounds; ++i) exchange(question, answer);
    return helios::test::allocation_count() - before;
  }
};

const std::string kRow = message('D', std::string("\0\1\0\0\0\1x", 7));

TEST_F(Allocations, simple_query) {
  for (const bool with_plugin : {false, true}) {
    connect(with_plugin);
    EXPECT_EQ(allocations(query("select abalance from pgbench_accounts where aid = 1"),
                          kRow + complete("SELECT 1") + ready('I')),
              0U)
        << with_plugin;
  }
}

TEST_F(Allocations, prepared_statement) {
  for (const bool with_plugin : {false, true}) {
    connect(with_plugin);
    exchange(parse("P0_1", kText) + sync(), parsed() + ready('I'));
    EXPECT_EQ(allocations(bind_to("", "P0_1", {"a value that is long enough"}) + execute() + sync(),
                          bound() + kRow + complete("SELECT 1") + ready('I')),
              0U)
        << with_plugin;
  }
}

TEST_F(Allocations, unnamed_statement) {
  for (const bool with_plugin : {false, true}) {
    connect(with_plugin);
    EXPECT_EQ(allocations(parse("", kText) + bind_to("", "", {"1"}) + execute() + sync(),
                          parsed() + bound() + kRow + complete("SELECT 1") + ready('I')),
              0U)
        << with_plugin;
  }
}

TEST_F(Allocations, pipeline_of_prepared_statements) {
  connect(true);
  exchange(parse("P0_1", kText) + sync(), parsed() + ready('I'));
  std::string question;
  std::string answer;
  for (int i = 0; i < 8; ++i) {
    question += bind_to("", "P0_1", {"1"}) + execute();
    answer += bound() + kRow + complete("SELECT 1");
  }
  EXPECT_EQ(allocations(question + sync(), answer + ready('I')), 0U);
}

}  // namespace
}  // namespace helios::session::test
