// SPDX-License-Identifier: Apache-2.0
#pragma once

// Drives one Session without sockets: a test says what the client and the server send, and looks at
// what the session wants sent. Hooks are native code; each call may be made to answer pending.

#include "base/text.hpp"
#include "hooks/chain.hpp"
#include "kv/memory_store.hpp"
#include "pgwire/command_complete.hpp"
#include "pgwire/error_response.hpp"
#include "pgwire/query.hpp"
#include "session/session.hpp"
#include "support/capture_log.hpp"
#include "support/fake_clock.hpp"
#include "support/manual_executor.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace helios::session::test {

// A plugin of native code. All functions default to "nothing to say".
class NativePlugin final : public hooks::Plugin {
 public:
  using Function = std::function<hooks::CallResult(hooks::Call&)>;

  explicit NativePlugin(hooks::PluginTraits plugin_traits) : traits_(std::move(plugin_traits)) {}

  Function pre_query = [](hooks::Call&) { return hooks::CallResult{}; };
  Function authenticate = [](hooks::Call&) { return hooks::CallResult{}; };
  Function post_query = [](hooks::Call&) { return hooks::CallResult{}; };
  Function settled = [](hooks::Call&) { return hooks::CallResult{}; };
  bool asks_for_tenant = true;
  // Set: every call answers pending and completes when this executor runs.
  base::Executor* elsewhere = nullptr;

  [[nodiscard]] const hooks::PluginTraits& traits() const override { return traits_; }
  [[nodiscard]] bool looks_at_tenant() const override { return asks_for_tenant; }
  hooks::RunStatus run(hooks::Call& call) override;

 private:
  void perform(hooks::Call& call);
  hooks::PluginTraits traits_;
};

hooks::CallResult block(std::string reason);
hooks::CallResult rewrite(std::string sql);
hooks::CallResult failure(std::string why);

// Messages.
std::string startup_packet(std::vector<std::pair<std::string, std::string>> parameters);
std::string message(char type, std::string_view body);
std::string query(std::string_view text);
std::string complete(std::string_view tag);
std::string ready(char status);
std::string error(std::string_view sqlstate, std::string_view text,
                  std::string_view severity = "ERROR");
std::string parameter(std::string_view name, std::string_view value);
// What the server sends after a startup packet under trust, up to ReadyForQuery.
std::string server_greeting();
// What a refused text makes PostgreSQL answer.
std::string syntax_error();

struct Step {
  enum class From { client, server, cancel } from;
  std::string bytes;
};
Step client(std::string bytes);
Step server(std::string bytes);
// The server has acted on the cancel request for an answer that was cut.
Step cancelled();

// A rule that sets one thing for everybody whose user fits.
config::IdentityRule identity_rule(std::string user, std::string_view setting, std::string value,
                                   bool is_pinned = true);
config::IdentityRule tenant_rule(std::string user, std::string tenant, bool is_pinned = true);

struct Options {
  config::Config config;
  std::vector<std::shared_ptr<NativePlugin>> plugins;
  bool pending = false;           // every hook call answers pending
  std::optional<OsUser> os_user;  // the client came through a Unix socket
  bool is_front = false;          // he begins with a PROXY header
  Admission* admission = nullptr;
  auth::SharedLoginRules login_rules = {};
  std::vector<std::pair<std::string, std::string>> startup = {{"user", "ann"},
                                                              {"database", "shop"}};
};

// Grants what it has been given, when a test says so.
class FakeUpstream final : public backend::Upstream {
 public:
  explicit FakeUpstream(std::string own_name = "heliosproxy session-1")
      : link(std::move(own_name)) {}
  void claim() override { is_claimed = true; }
  void give_up() override { is_given_up |= is_granted; }

  backend::Link link;
  bool is_claimed = false;
  bool is_granted = false;
  bool is_given_up = false;
};

class SessionHarness {
 public:
  explicit SessionHarness(Options options);
  ~SessionHarness();

  // Brings the session to its first ReadyForQuery and forgets the bytes of that.
  void connect();

  // One event each; then everything that waits on an executor is run.
  void client_sends(std::string_view bytes);
  void server_sends(std::string_view bytes);
  void play(const Step& step);
  void client_eof();
  void server_failed(std::string_view reason);
  void client_lost();
  void server_eof();
  void cancel();
  // The server has acted on the cancel request for an answer that was cut.
  void cap_cancelled();
  void drain(bool force);
  // Returns whether the session ends for it.
  bool set_blocks(blocks::SharedBlockSet blocks);
  // With auto_run off, the executors are run only by this: hooks stay pending until then.
  void run_executors();
  void server_connected();
  // Moves the clock and reports the timer if it is due.
  void pass_ms(std::int64_t ms);
  bool auto_run = true;
  // Called before and after everything that a worker, or, elsewhere, another thread would run.
  enum class Work { event, task, elsewhere, none };
  std::function<void(Work)> on_work = [](Work) {};

  // What the session is to be given as such.
  [[nodiscard]] std::function<void()> wake() {
    return [this] { woken_ = true; };
  }

  void set_chain(std::vector<std::shared_ptr<NativePlugin>> plugins);

  // What came out since the last take.
  std::string take_to_client() { return std::exchange(to_client, {}); }
  std::string take_to_server() { return std::exchange(to_server, {}); }

  std::string to_client;
  std::string to_server;
  bool asked_to_connect = false;
  bool client_closed = false;
  bool server_closed = false;
  bool server_finished = false;
  int cancels_sent = 0;
  int cap_cancels_sent = 0;
  std::optional<pgwire::CancelKey> registered_key;
  std::optional<pgwire::CancelKey> delivered_cancel;

  helios::test::FakeClock clock;
  helios::test::ManualExecutor home;
  helios::test::ManualExecutor elsewhere;  // hooks and the slow lane
  helios::test::CaptureLog log;
  kv::MemoryStore store{kv::Limits{}, clock};
  sql::Analyzer analyzer{sql::Analyzer::Options{}};
  Counters counters;
  Timings timings;
  Environment environment;
  FakeUpstream upstream;
  std::unique_ptr<Session> session;

 private:
  template <typename Event>
  void perform(Event event);
  bool run_one(helios::test::ManualExecutor& executor);
  Options options_;
  bool woken_ = false;
};

// Everything a client and a server can see of a run.
struct Trace {
  std::string to_client;
  std::string to_server;
  bool client_closed = false;
  bool server_closed = false;
  bool operator==(const Trace&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Trace& trace);

// Plays the steps after connecting.
Trace run_scenario(const Options& options, const std::vector<Step>& steps);

// Plays them again with every step cut at every byte, byte by byte, and with every hook pending, and
// expects the same trace each time. Returns it.
Trace run_every_way(const Options& options, const std::vector<Step>& steps);

}  // namespace helios::session::test
