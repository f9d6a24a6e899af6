// SPDX-License-Identifier: Apache-2.0

// Every hostile plugin of the catalogue, loaded and called once: one outcome each, nothing of a failed
// call is seen, and a plugin beside it works on.

#include "hostile_guests.hpp"
#include "plugin_fixture.hpp"
#include "plugins/abi/client_text.hpp"

#include <set>

namespace helios::plugins {

void PrintTo(const HostileGuest& one, std::ostream* out) { *out << one.name; }

namespace {

using hooks::HookPoint;
using Action = hooks::Verdict::Action;
using Outcome = HostileGuest::Outcome;
using Status = hooks::CallResult::Status;

class HostileCatalogueTest : public PluginTest, public ::testing::WithParamInterface<HostileGuest> {
 protected:
  HostileCatalogueTest() {
    const bool is_short =
        GetParam().outcome == Outcome::loops || GetParam().name.starts_with("loops");
    // Those that end by themselves are not to be ended by a busy machine.
    config_.limits.timeout_ms = is_short ? 50 : 60'000;
    if (!is_short) inline_ticks_ = 60'000 / kTickMs;
    write_file(GetParam().name + (GetParam().is_text ? ".wat" : ".wasm"), GetParam().file.make());
  }

  void expect_not_loaded();
  hooks::CallResult call(const std::shared_ptr<const hooks::Chain>& chain);
};

void HostileCatalogueTest::expect_not_loaded() {
  const auto chain = load();
  ASSERT_FALSE(chain);
  const std::string& message = chain.error().message;
  EXPECT_NE(message.find(GetParam().words), std::string::npos) << message;
  EXPECT_TRUE(message.starts_with("plugin ")) << message;
  for (const char c : message) EXPECT_TRUE(c >= ' ' && c <= '~') << message;
  EXPECT_LT(message.size(), 1000U);
  EXPECT_EQ(key_count(), 0U);
}

// Also expects that a call that runs for ever leaves the event loop to others.
hooks::CallResult HostileCatalogueTest::call(const std::shared_ptr<const hooks::Chain>& chain) {
  WaitingExecutor home;
  Statement statement(chain, "acme");
  TestCall call(plugin(chain, GetParam().name), statement, HookPoint::pre_query, home);
  const bool at_once = call.start();
  if (GetParam().outcome == Outcome::loops) {
    EXPECT_FALSE(at_once);
    EXPECT_EQ(info(GetParam().name).overruns, 1U);
  }
  home.run_until([&] { return call.done(); });
  return call.result();
}

TEST_P(HostileCatalogueTest, has_its_one_outcome) {
  if (GetParam().outcome == Outcome::not_loaded) return expect_not_loaded();
  add_guest("counter");
  const auto chain = load_ok();
  const hooks::CallResult result = call(chain);
  const bool fails = GetParam().outcome == Outcome::loops || GetParam().outcome == Outcome::fails;
  ASSERT_EQ(result.status, fails ? Status::failed : Status::ok) << result.failure;
  switch (GetParam().outcome) {
    case Outcome::not_loaded: break;
    case Outcome::loops: EXPECT_EQ(result.failure, "timeout after 50 ms"); break;
    case Outcome::fails:
      EXPECT_NE(result.failure.find(GetParam().words), std::string::npos) << result.failure;
      break;
    case Outcome::proceeds: EXPECT_EQ(result.verdict.action, Action::proceed); break;
    case Outcome::blocks:
      EXPECT_EQ(result.verdict.action, Action::block);
      EXPECT_TRUE(result.verdict.text.ends_with(GetParam().words))
          << result.verdict.text.substr(0, 80);
      EXPECT_LE(result.verdict.text.size(), kMaxClientTextBytes + 3);
      break;
    case Outcome::rewrites:
      EXPECT_EQ(result.verdict.action, Action::rewrite);
      EXPECT_EQ(result.verdict.text, GetParam().words);
      break;
  }
  EXPECT_EQ(key_count(), GetParam().keys);
  EXPECT_LT(result.failure.size(), 1000U);

  run_hook(chain, "counter", HookPoint::pre_query);
  EXPECT_EQ(value("counter", "count:acme"), "1");
}

INSTANTIATE_TEST_SUITE_P(Catalogue, HostileCatalogueTest, ::testing::ValuesIn(hostile_guests()),
                         [](const auto& one) { return one.param.name; });

TEST(HostileCatalogue, names_are_unique) {
  std::set<std::string> names;
  for (const HostileGuest& guest : hostile_guests()) EXPECT_TRUE(names.insert(guest.name).second);
  EXPECT_GE(names.size(), 30U);
}

TEST_F(PluginTest, start_that_loops_only_later_leaves_the_event_loop_too) {
  for (const HostileGuest& guest : hostile_calls())
    if (guest.name == "loops_in_start_once_it_has_state")
      write_file(guest.name + ".wat", guest.file.make());
  config_.limits.timeout_ms = 50;
  const auto chain = load_ok();
  const std::string name = "loops_in_start_once_it_has_state";
  ASSERT_EQ(run_hook(chain, name, HookPoint::pre_query).status, Status::ok);
  WaitingExecutor home;
  Statement statement(chain, "acme");
  TestCall call(plugin(chain, name), statement, HookPoint::pre_query, home);
  EXPECT_FALSE(call.start());
  home.run_until([&] { return call.done(); });
  EXPECT_EQ(call.result().failure, "timeout after 50 ms");
}

}  // namespace
}  // namespace helios::plugins
