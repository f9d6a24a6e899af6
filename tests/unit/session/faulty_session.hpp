// SPDX-License-Identifier: Apache-2.0
#pragma once

// A session that a Saboteur works on, with two plugins that count their calls, and its neighbour.

#include "saboteur.hpp"
#include "session_harness.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::session::test {

inline const std::string kRow = message('D', std::string("\0\1\0\0\0\1x", 7));

// Calls of one plugin's hooks, by statement.
struct Calls {
  std::map<std::uint64_t, int> pre;  // that were not left by an exception
  std::map<std::uint64_t, int> post;
  std::map<std::uint64_t, int> settled;
};

struct Doorkeeper final : Admission {
  int inside = 0;
  int logins = 0;
  Arrival arrive(const std::string&) override {
    ++logins;
    return Arrival::welcome;
  }
  void depart(const std::string&, Arrival) override { --logins; }
  std::optional<std::uint32_t> hold_up(const LoginClaim&) override { return 0; }
  FailureAlarm note_failure(const LoginClaim&) override { return FailureAlarm::none; }
  void note_success(const LoginClaim&) override {}
  std::string enter(const std::string&, const std::string&) override {
    ++inside;
    return {};
  }
  void leave(const std::string&, const std::string&) override { --inside; }
};

inline std::shared_ptr<NativePlugin> recorder(std::string name, Calls& calls, Saboteur& saboteur) {
  auto plugin = std::make_shared<NativePlugin>(hooks::PluginTraits{.name = std::move(name),
                                                                   .has_authenticate = true,
                                                                   .has_pre_query = true,
                                                                   .has_post_query = true,
                                                                   .has_settled = true});
  plugin->authenticate = [&saboteur](hooks::Call&) {
    saboteur.pass();
    return hooks::CallResult{};
  };
  plugin->pre_query = [&calls, &saboteur](hooks::Call& call) {
    saboteur.pass();
    const Respite respite(saboteur);
    ++calls.pre[call.statement->id];
    const std::string_view text = call.statement->text;
    if (text.find("forbidden") != std::string_view::npos) return block("no");
    if (text.find("rewritten") != std::string_view::npos) return rewrite("select 'another text'");
    return hooks::CallResult{};
  };
  const auto note = [&saboteur](std::map<std::uint64_t, int>& of) {
    return [&of, &saboteur](hooks::Call& call) {
      {
        const Respite respite(saboteur);
        ++of[call.statement->id];
      }
      saboteur.pass();
      return hooks::CallResult{};
    };
  };
  plugin->post_query = note(calls.post);
  plugin->settled = note(calls.settled);
  return plugin;
}

// Another session of the same worker, which waits for its own hooks only.
class Neighbour {
 public:
  explicit Neighbour(SessionHarness& harness)
      : harness_(harness),
        session_(harness.environment,
                 Peer{.ip = "10.1.2.4", .os_user = {}, .session_id = "session-2"}, upstream_,
                 [this] { is_woken_ = true; }) {}

  // What came out for both sides.
  std::string exchange(std::string_view question, std::string_view answer) {
    // The question comes first: operands of + have no order.
    std::string out =
        perform([&](Actions& actions) { session_.on_client_bytes(question, actions); });
    return out += perform([&](Actions& actions) { session_.on_server_bytes(answer, actions); });
  }
  void connect() {
    exchange(startup_packet({{"user", "bob"}}), "");
    perform([&](Actions& actions) { session_.on_granted(upstream_.link, actions); });
    exchange("", server_greeting());
  }
  [[nodiscard]] bool serves() {
    const std::string question = query("select 'neighbour'");
    const std::string answer = kRow + complete("SELECT 1") + ready('I');
    return exchange(question, answer) == question + answer;
  }
  void end() {
    perform([&](Actions& actions) { session_.on_client_lost(actions); });
  }

 private:
  std::string perform(const std::function<void(Actions&)>& event) {
    Actions actions;
    event(actions);
    std::string out = actions.to_client.flatten() + actions.to_server.flatten();
    while (harness_.elsewhere.run_one() || harness_.home.run_one()) {
      if (std::exchange(is_woken_, false)) {
        out += perform([&](Actions& more) { session_.on_wake(more); });
      }
    }
    return out;
  }
  SessionHarness& harness_;
  bool is_woken_ = false;
  FakeUpstream upstream_{"heliosproxy session-2"};
  Session session_;
};

// A session with a fault in it, and its neighbour.
struct Attempt {
  explicit Attempt(Saboteur::Plan plan, bool is_pending) : saboteur(plan), harness(options()) {
    harness.environment.clock = &clock;
    harness.environment.log = &log;
    harness.environment.home = &home;
    harness.environment.slow = &slow;
    harness.environment.admission = &doorkeeper;
    // It keeps what it is given at the start.
    harness.session = std::make_unique<Session>(
        harness.environment, Peer{.ip = "10.1.2.3", .os_user = {}, .session_id = "session-1"},
        harness.upstream, harness.wake());
    for (const auto& plugin : plugins) plugin->elsewhere = is_pending ? &hooks : nullptr;
    neighbour.emplace(harness);
    neighbour->connect();
    for (Calls& of_plugin : calls) of_plugin = {};
    harness.on_work = [this, is_pending](SessionHarness::Work work) {
      using Work = SessionHarness::Work;
      const bool is_home = work == Work::event || work == Work::task;
      // Hooks that are pending are not the session's.
      saboteur.set_working(is_home || (work == Work::elsewhere && !is_pending), is_home);
    };
  }

  ~Attempt() {
    neighbour->end();
    neighbour.reset();
    harness.run_executors();
    harness.session.reset();
    EXPECT_EQ(doorkeeper.logins, 0);
  }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  Options options() {
    Options made;
    made.config.plugins.directory = "plugins";
    made.config.limits.query_timeout_ms = 1000;
    made.plugins = plugins;
    return made;
  }
  void connect() {
    harness.client_sends(startup_packet({{"user", "ann"}, {"database", "shop"}}));
    harness.server_connected();
    harness.server_sends(server_greeting());
  }

  Saboteur saboteur;
  Calls calls[2];
  std::vector<std::shared_ptr<NativePlugin>> plugins{recorder("a", calls[0], saboteur),
                                                     recorder("b", calls[1], saboteur)};
  Doorkeeper doorkeeper;
  SessionHarness harness;
  FaultyClock clock{harness.clock, saboteur};
  FaultyLog log{harness.log, saboteur};
  FaultyExecutor home{harness.home, saboteur};
  FaultyExecutor slow{harness.elsewhere, saboteur};
  FaultyExecutor hooks{harness.elsewhere, saboteur, true};
  std::optional<Neighbour> neighbour;
};

}  // namespace helios::session::test
