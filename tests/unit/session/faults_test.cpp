// SPDX-License-Identifier: Apache-2.0
// Goal: an exception at any place of any event ends that one session: the client is told, the server
// connection is closed, every statement that met its hooks gets its post_query once, the session can be
// destroyed, and others on the same worker notice nothing. The same where more exceptions come while it ends.
#include "extended_messages.hpp"
#include "faulty_session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

namespace helios::session::test {
namespace {

using namespace std::string_literals;

constexpr std::size_t kForEver = SIZE_MAX;
const std::string kCopyIn = message('G', "\0\0\0"s);

struct Scenario {
  std::string name;
  std::function<void(Attempt&)> play;
  std::size_t stride = 1;  // between the places of the faults
};
// gtest shows it otherwise as bytes.
void PrintTo(const Scenario& scenario, std::ostream* out) { *out << scenario.name; }

const Scenario kScenarios[] = {
    {"queries",
     [](Attempt& run) {
       run.connect();
       run.harness.client_sends(
           query("begin; select 1; set helios.tenant_id = 'a tenant with a name'"));
       run.harness.server_sends(complete("BEGIN") + kRow + complete("SELECT 1") + complete("SET") +
                                ready('T'));
       run.harness.client_sends(query("savepoint s; prepare p as select 2; execute p; select 3"));
       run.harness.server_sends(complete("SAVEPOINT") + complete("PREPARE") + complete("SELECT 1"));
       run.harness.server_sends(error("22012", "division by zero") + ready('E'));
       run.harness.client_sends(query("rollback") + query("select 4"));
       run.harness.server_sends(complete("ROLLBACK") + ready('I') + complete("SELECT 1") +
                                ready('I'));
       run.harness.client_sends(message('X', ""));
     }},
    {"extended",
     [](Attempt& run) {
       run.connect();
       run.harness.client_sends(parse("a long enough name", "select a from t where id = $1") +
                                bind_to("a portal with a name", "a long enough name", {"1"}) +
                                execute("a portal with a name", 1) + sync());
       run.harness.server_sends(parsed() + bound() + kRow + suspended() + ready('T'));
       run.harness.client_sends(bind_to("", "a long enough name", {"2"}) + execute("", 1) +
                                flush());
       run.harness.server_sends(bound() + kRow + suspended());
       run.harness.client_sends(bind_to("", "a long enough name", {"3"}) + execute() +
                                execute("a portal with a name") + parse("", "select '\\'") +
                                sync());
       run.harness.server_sends(bound() + complete("SELECT 1") + kRow + complete("SELECT 1"));
       run.harness.server_sends(error("25P02", "failed") + ready('E'));
       run.harness.client_sends(close_statement("a long enough name") + sync() + query("commit"));
       run.harness.server_sends(closed() + ready('E') + complete("ROLLBACK") + ready('I'));
     }},
    {"refused_and_rewritten",
     [](Attempt& run) {
       run.connect();
       run.harness.client_sends(query("select 1; select forbidden"));
       run.harness.client_sends(query("begin"));
       run.harness.server_sends(complete("BEGIN") + ready('T'));
       run.harness.client_sends(query("select 2; select rewritten") + query("select forbidden"));
       run.harness.server_sends(complete("SELECT 1") + complete("SELECT 1") + ready('T'));
       run.harness.server_sends(syntax_error() + ready('E'));
       run.harness.client_sends(query("rollback"));
       run.harness.server_sends(complete("ROLLBACK") + ready('I'));
       run.harness.client_sends(parse("", "select rewritten") + bind_to("", "") + execute() +
                                parse("", "select forbidden") + bind_to("", "") + execute() +
                                sync());
       run.harness.server_sends(parsed() + bound() + closed() + parsed() + bound() +
                                complete("SELECT 1") + parsed() + bound() + syntax_error() +
                                ready('I'));
     }},
    {"copy",
     [](Attempt& run) {
       run.connect();
       run.harness.client_sends(parse("", "copy t from stdin") + bind_to("", "") + execute());
       run.harness.server_sends(parsed() + bound() + kCopyIn);
       run.harness.client_sends(message('d', "bad\n") + sync());
       run.harness.server_sends(error("22P02", "invalid input syntax") + ready('I') + ready('I'));
       run.harness.server_sends(message('I', "") + ready('I'));
     }},
    {"long_text",
     [](Attempt& run) {
       run.connect();
       run.harness.client_sends(query("select '" + std::string(sql::kLargeTextBytes, 'x') + "'"));
       run.harness.server_sends(complete("SELECT 1") + ready('I'));
     }},
    {"many_statements",
     [](Attempt& run) {
       run.connect();
       std::string many;
       std::string answers;
       for (std::size_t i = 0; i < kStatementsPerTurn + 2; ++i) {
         many += "select 1;";
         answers += complete("SELECT 1");
       }
       run.harness.client_sends(query(many));
       run.harness.server_sends(answers + ready('I'));
     },
     37},
    {"client_is_lost",
     [](Attempt& run) {
       run.connect();
       run.harness.client_sends(query("select 1; select 2") + query("select 3"));
       run.harness.server_sends(complete("SELECT 1"));
       run.harness.client_lost();
     }},
    {"client_ends",
     [](Attempt& run) {
       run.connect();
       run.harness.client_sends(query("select 1"));
       run.harness.client_eof();
       run.harness.server_sends(complete("SELECT 1") + ready('I'));
       run.harness.server_eof();
     }},
    {"server_ends",
     [](Attempt& run) {
       run.connect();
       run.harness.client_sends(query("select 1; select 2") + query("select 3"));
       run.harness.server_sends(complete("SELECT 1"));
       run.harness.server_eof();
     }},
    {"server_cannot_be_reached",
     [](Attempt& run) {
       run.harness.client_sends(startup_packet({{"user", "ann"}}));
       run.harness.server_failed("Connection refused");
     }},
    {"timer_cancel_and_drain",
     [](Attempt& run) {
       run.connect();
       run.harness.client_sends(query("select 1"));
       run.harness.cancel();
       run.harness.drain(false);
       run.harness.pass_ms(5000);
     }},
    {"drain_by_force",
     [](Attempt& run) {
       run.connect();
       run.harness.client_sends(query("select 1"));
       run.harness.drain(true);
     }},
};

// What is wrong with how `run` ended, whose hooks have all been told if `is_told`; nothing.
std::string complaint_about(Attempt& run, bool is_told) {
  if (!run.harness.session->finished()) return "is not finished";
  if (!run.harness.client_closed) return "leaves the client there";
  if (run.harness.registered_key && !run.harness.server_closed) return "leaves the server there";
  if (run.harness.counters.session_faults != 1) return "is not counted";
  for (const Calls& calls : run.calls) {
    if (is_told && calls.pre != calls.post) return "does not pair post_query";
    if (is_told && calls.pre != calls.settled) return "does not pair settled";
  }
  run.harness.session.reset();
  if (!run.neighbour->serves()) return "disturbs its neighbour";
  run.neighbour->end();
  run.neighbour.emplace(run.harness);  // one that never began
  if (run.doorkeeper.inside != 0) return "does not leave";
  return run.harness.environment.memory.here_bytes == 0 ? "" : "holds memory";
}

// Plays it with a fault at every place; `check` looks at each run. Returns how many there were.
template <typename Check>
std::size_t fault_everywhere(const Scenario& scenario, bool is_pending, Saboteur::Plan plan,
                             Check check) {
  for (plan.allowed = 0;; plan.allowed += scenario.stride) {
    Attempt run(plan, is_pending);
    scenario.play(run);
    run.harness.run_executors();
    if (run.saboteur.thrown() == 0) return plan.allowed;
    SCOPED_TRACE(scenario.name + (is_pending ? ", pending" : "") +
                 (plan.of_memory ? ", allocation " : ", call ") + std::to_string(plan.allowed));
    check(run);
  }
}

std::size_t fault_everywhere(const Scenario& scenario, Saboteur::Plan plan) {
  std::size_t places = 0;
  for (const bool is_pending : {false, true}) {
    for (const bool of_memory : {false, true}) {
      plan.of_memory = of_memory;
      places += fault_everywhere(scenario, is_pending, plan, [&plan](Attempt& run) {
        EXPECT_EQ(complaint_about(run, plan.failures < kForEver), "");
      });
    }
  }
  return places;
}

class EveryFault : public testing::TestWithParam<Scenario> {};

TEST_P(EveryFault, ends_the_session_in_order) { EXPECT_GT(fault_everywhere(GetParam(), {}), 0U); }

TEST_P(EveryFault, and_another_one_while_it_ends) {
  for (const std::size_t between : {0U, 2U}) {
    EXPECT_GT(fault_everywhere(GetParam(), {.failures = 2, .between = between}), 0U);
  }
}

TEST_P(EveryFault, and_nothing_but_faults_from_then_on) {
  EXPECT_GT(fault_everywhere(GetParam(), {.failures = kForEver}), 0U);
}

INSTANTIATE_TEST_SUITE_P(Faults, EveryFault, testing::ValuesIn(kScenarios),
                         [](const auto& scenario) { return scenario.param.name; });

TEST(Faults, client_is_told_and_the_server_hears_nothing_of_the_event) {
  const Scenario& queries = kScenarios[0];
  fault_everywhere(queries, false, {}, [](Attempt& run) {
    EXPECT_THAT(run.harness.to_client, testing::HasSubstr("58000"));
    EXPECT_THAT(run.harness.to_client,
                testing::HasSubstr("terminating connection: internal error of the proxy"));
    EXPECT_THAT(run.harness.log.lines(), testing::SizeIs(testing::Le(1U)));
  });
}

// As they stand in the log: "internal fault (session, EVENT, STATE): WHAT; ...".
std::string event_of(const std::string& line) {
  const std::string head = "internal fault (session, ";
  return line.starts_with(head)
             ? line.substr(head.size(), line.find(',', head.size()) - head.size())
             : line;
}

TEST(Faults, log_names_the_event_the_state_and_what_was_thrown) {
  std::set<std::string> events;
  const auto note = [&events](Attempt& run) {
    for (const auto& line : run.harness.log.lines()) events.insert(event_of(line.text));
  };
  for (const Scenario& scenario : kScenarios) {
    if (scenario.stride > 1) continue;
    for (const bool is_pending : {false, true}) {
      fault_everywhere(scenario, is_pending, {.of_memory = true}, note);
    }
  }
  EXPECT_THAT(events,
              testing::IsSupersetOf({"client bytes", "client loss", "link granted", "link refused",
                                     "server bytes", "server end", "wake", "timer", "drain"}));
  Attempt run({}, false);
  run.connect();
  EXPECT_EQ(run.harness.log.lines().at(0).text,
            "internal fault (session, client bytes, startup): planted; "
            "session session-1 ends, please report this");
}

TEST(Faults, unexpected_exception_ends_its_session_only) {
  auto plugin =
      std::make_shared<NativePlugin>(hooks::PluginTraits{.name = "p", .has_pre_query = true});
  plugin->pre_query = [](hooks::Call&) -> hooks::CallResult {
    throw std::runtime_error("planted");
  };
  Options options;
  options.plugins = {plugin};
  SessionHarness harness(options);
  harness.connect();
  harness.client_sends(query("select 1"));
  EXPECT_NE(harness.to_client.find("58000"), std::string::npos);
  EXPECT_EQ(harness.to_server.find("select 1"), std::string::npos);
  EXPECT_TRUE(harness.client_closed);
  EXPECT_TRUE(harness.server_closed);
  EXPECT_TRUE(harness.session->finished());
}

}  // namespace
}  // namespace helios::session::test
