// SPDX-License-Identifier: Apache-2.0
//
// What a server's name stands for: looked up beside everybody else, again and again, and kept while that fails.

#include "net/server_addresses.hpp"

#include "unit/net/driven.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace helios::net {
namespace {

using testing::HasSubstr;

// A resolver that answers when the test says so.
class Resolver {
 public:
  LookUp by() {
    return [state = state_](const std::string&, std::uint16_t) {
      std::unique_lock lock(state->mutex);
      ++state->asked;
      state->changed.notify_all();
      state->changed.wait(lock, [&] { return state->answered >= state->asked; });
      return state->answer;
    };
  }
  void answers(base::Result<std::vector<Endpoint>> answer) {
    const std::lock_guard lock(state_->mutex);
    state_->answer = std::move(answer);
    ++state_->answered;
    state_->changed.notify_all();
  }
  void wait_until_asked(int times) {
    std::unique_lock lock(state_->mutex);
    state_->changed.wait(lock, [&] { return state_->asked >= times; });
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    int asked = 0;
    int answered = 0;
    base::Result<std::vector<Endpoint>> answer = std::vector<Endpoint>{};
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

config::Server server_named(const std::string& host) {
  config::Server server;
  server.host = host;
  server.dns_ttl_s = 1;
  return server;
}
std::vector<Endpoint> at(const std::string& ip) { return {*tcp_endpoint({ip, 5432})}; }

// Until it reads as it should: the thread is another one.
template <typename Condition>
ServerAddresses::Reading wait_for(const ServerAddresses& addresses, Condition condition) {
  while (true) {
    auto reading = addresses.read();
    if (condition(reading)) return reading;
    std::this_thread::yield();
  }
}

TEST(ServerAddresses, that_are_no_name_are_known_at_once) {
  const ServerAddresses literal(server_named("127.0.0.1"));
  ASSERT_EQ(literal.read().endpoints->size(), 1U);
  EXPECT_EQ(literal.text(), "127.0.0.1:5432");
  const ServerAddresses local(server_named("localhost"));
  EXPECT_EQ(local.read().endpoints->size(), 2U);
}

TEST(ServerAddresses, of_a_name_come_later_change_and_outlive_a_failure) {
  Resolver resolver;
  const ServerAddresses addresses(server_named("db.example"), resolver.by());
  EXPECT_EQ(addresses.text(), "db.example:5432");
  resolver.wait_until_asked(1);
  EXPECT_EQ(addresses.read().endpoints, nullptr);
  EXPECT_EQ(addresses.read().failure, "");
  resolver.answers(at("127.0.0.2"));
  const auto first = wait_for(addresses, [](const auto& now) { return now.endpoints != nullptr; });
  EXPECT_EQ(first.endpoints->front().ip(), "127.0.0.2");
  resolver.wait_until_asked(2);
  resolver.answers(base::fail(base::Errc::unavailable, "no network"));
  resolver.wait_until_asked(3);
  EXPECT_EQ(addresses.read().endpoints->front().ip(), "127.0.0.2");
  resolver.answers(at("127.0.0.3"));
  wait_for(addresses, [](const auto& now) { return now.endpoints->front().ip() == "127.0.0.3"; });
  EXPECT_EQ(first.endpoints->front().ip(), "127.0.0.2") << "whoever has it keeps it";
}

TEST(ServerAddresses, that_cannot_be_looked_up_say_why) {
  Resolver resolver;
  const ServerAddresses addresses(server_named("db.example"), resolver.by());
  resolver.answers(base::fail(base::Errc::unavailable, "Name or service not known"));
  const auto told = wait_for(addresses, [](const auto& now) { return !now.failure.empty(); });
  EXPECT_EQ(told.failure, "the name \"db.example\" cannot be looked up: Name or service not known");
  resolver.answers(std::vector<Endpoint>{});
  const auto empty =
      wait_for(addresses, [&](const auto& now) { return now.failure != told.failure; });
  EXPECT_THAT(empty.failure, HasSubstr("it has no address"));
}

TEST(ServerAddresses, may_go_while_they_are_looked_up) {
  Resolver resolver;
  {
    const ServerAddresses addresses(server_named("db.example"), resolver.by());
    resolver.wait_until_asked(1);
  }
  resolver.answers(at("127.0.0.2"));
}

TEST(ServerAddresses, resolver_of_the_system_knows_what_every_machine_knows) {
  const auto found = look_up("localhost", 5432);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->front().port(), 5432);
  EXPECT_FALSE(look_up("no-such-name.invalid", 5432));
}

// ---- Who dials

struct Waiting : DialHandler {
  void on_dialled(Fd, SharedEndpoint to) override { reached = to->text(); }
  void on_dial_failed(const std::string& reason) override { failure = reason; }
  std::string reached;
  std::string failure;
};

struct Dialled {
  explicit Dialled(LookUp by) {
    ServerTarget target;
    target.addresses =
        std::make_shared<const ServerAddresses>(server_named("db.example"), std::move(by));
    addresses = target.addresses;
    dialer.emplace(engine, std::make_shared<const ServerTarget>(std::move(target)), nullptr,
                   handler);
  }
  std::shared_ptr<const ServerAddresses> addresses;
  test::FakeClock clock;
  SimulatedEngine engine{clock};
  Waiting handler;
  std::optional<Dialer> dialer;
};

TEST(ServerAddresses, dialer_waits_for_the_first_answer) {
  Resolver resolver;
  Dialled dialled(resolver.by());
  dialled.engine.pass_ms(1000);
  EXPECT_FALSE(dialled.engine.is_dialling());
  resolver.answers(at("127.0.0.9"));
  wait_for(*dialled.addresses, [](const auto& now) { return now.endpoints != nullptr; });
  dialled.engine.pass_ms(1000);
  ASSERT_TRUE(dialled.engine.is_dialling());
  dialled.engine.connect_dialled();
  EXPECT_EQ(dialled.handler.reached, "127.0.0.9:5432");
  dialled.dialer.reset();
  EXPECT_EQ(dialled.engine.timers(), 0U);
}

TEST(ServerAddresses, silent_address_does_not_use_up_the_time_of_the_others) {
  Resolver resolver;
  auto both = at("127.0.0.8");
  both.push_back(at("127.0.0.9").front());
  resolver.answers(both);
  Dialled dialled(resolver.by());
  wait_for(*dialled.addresses, [](const auto& now) { return now.endpoints != nullptr; });
  dialled.engine.pass_ms(20);
  EXPECT_EQ(dialled.engine.dialled(), "127.0.0.8:5432");
  dialled.engine.pass_ms(4990);
  EXPECT_EQ(dialled.engine.dialled(), "127.0.0.9:5432");
  dialled.engine.pass_ms(4990);
  ASSERT_TRUE(dialled.engine.is_dialling());
  dialled.engine.connect_dialled();
  EXPECT_EQ(dialled.handler.reached, "127.0.0.9:5432");

  Dialled silent([both](const auto&, auto) { return base::Result<std::vector<Endpoint>>(both); });
  wait_for(*silent.addresses, [](const auto& now) { return now.endpoints != nullptr; });
  silent.engine.pass_ms(20);
  silent.engine.pass_ms(5001);
  silent.engine.pass_ms(5001);
  EXPECT_EQ(silent.handler.failure, "Connection timed out");
  EXPECT_EQ(silent.engine.timers(), 0U);
}

TEST(ServerAddresses, dialer_gives_up_when_the_time_is_over_or_there_is_no_such_name) {
  Resolver silent;
  Dialled waiting(silent.by());
  waiting.engine.pass_ms(5001);
  EXPECT_EQ(waiting.handler.failure, "Connection timed out");
  EXPECT_EQ(waiting.engine.timers(), 0U);
  silent.answers(at("127.0.0.9"));

  Resolver unknowing;
  unknowing.answers(base::fail(base::Errc::unavailable, "Name or service not known"));
  Dialled refused(unknowing.by());
  wait_for(*refused.addresses, [](const auto& now) { return !now.failure.empty(); });
  refused.engine.pass_ms(1000);
  EXPECT_THAT(refused.handler.failure, HasSubstr("Name or service not known"));
  EXPECT_EQ(refused.engine.timers(), 0U);
  unknowing.answers(at("127.0.0.9"));
}

}  // namespace
}  // namespace helios::net
