// SPDX-License-Identifier: Apache-2.0
#include "session_harness.hpp"

#include "base/byte_writer.hpp"

#include <gtest/gtest.h>

#include <ostream>

namespace helios::session::test {

hooks::RunStatus NativePlugin::run(hooks::Call& call) {
  if (elsewhere == nullptr) {
    perform(call);
    return hooks::RunStatus::done;
  }
  elsewhere->post([this, &call] {
    perform(call);
    call.home->post(std::move(call.on_done));
  });
  return hooks::RunStatus::pending;
}

void NativePlugin::perform(hooks::Call& call) {
  switch (call.point) {
    case hooks::HookPoint::authenticate: call.result = authenticate(call); break;
    case hooks::HookPoint::pre_query: call.result = pre_query(call); break;
    case hooks::HookPoint::post_query: call.result = post_query(call); break;
    case hooks::HookPoint::settled: call.result = settled(call); break;
    case hooks::HookPoint::check_write:
    case hooks::HookPoint::event: break;  // of no session
  }
}

hooks::CallResult block(std::string reason) {
  hooks::CallResult result;
  result.verdict.action = hooks::Verdict::Action::block;
  result.verdict.text = std::move(reason);
  return result;
}

hooks::CallResult rewrite(std::string sql) {
  hooks::CallResult result;
  result.verdict.action = hooks::Verdict::Action::rewrite;
  result.verdict.text = std::move(sql);
  return result;
}

hooks::CallResult failure(std::string why) {
  hooks::CallResult result;
  result.status = hooks::CallResult::Status::failed;
  result.failure = std::move(why);
  return result;
}

config::IdentityRule identity_rule(std::string user, std::string_view setting, std::string value,
                                   bool is_pinned) {
  config::IdentityRule rule;
  rule.user = std::move(user);
  rule.settings.emplace_back(setting, std::move(value));
  rule.pinned = is_pinned;
  return rule;
}

config::IdentityRule tenant_rule(std::string user, std::string tenant, bool is_pinned) {
  return identity_rule(std::move(user), config::kTenantSetting, std::move(tenant), is_pinned);
}

std::string startup_packet(std::vector<std::pair<std::string, std::string>> parameters) {
  std::string body;
  base::append_i32(body, 196608);
  for (const auto& [name, value] : parameters) {
    base::append_cstring(body, name);
    base::append_cstring(body, value);
  }
  body.push_back('\0');
  std::string packet;
  base::append_i32(packet, static_cast<std::int32_t>(body.size() + 4));
  return packet + body;
}

std::string message(char type, std::string_view body) {
  std::string out(1, type);
  base::append_i32(out, static_cast<std::int32_t>(body.size() + 4));
  return out.append(body);
}

std::string query(std::string_view text) { return pgwire::serialize_query(text); }

std::string complete(std::string_view tag) { return message('C', std::string(tag) + '\0'); }

std::string ready(char status) { return message('Z', std::string_view(&status, 1)); }

std::string error(std::string_view sqlstate, std::string_view text, std::string_view severity) {
  std::string body;
  const auto field = [&body](char type, std::string_view value) {
    body.push_back(type);
    base::append_cstring(body, value);
  };
  field('S', severity);
  field('V', severity);
  field('C', sqlstate);
  field('M', text);
  body.push_back('\0');
  return message('E', body);
}

std::string parameter(std::string_view name, std::string_view value) {
  std::string body;
  base::append_cstring(body, name);
  base::append_cstring(body, value);
  return message('S', body);
}

std::string server_greeting() {
  using namespace std::string_literals;
  return message('R', "\0\0\0\0"s) + parameter("client_encoding", "UTF8") +
         parameter("standard_conforming_strings", "on") + message('K', "\0\0\0\7abcd"s) +
         ready('I');
}

std::string syntax_error() { return error("42601", "syntax error at or near \"refused\""); }

Step client(std::string bytes) { return {Step::From::client, std::move(bytes)}; }
Step server(std::string bytes) { return {Step::From::server, std::move(bytes)}; }
Step cancelled() { return {Step::From::cancel, {}}; }

SessionHarness::SessionHarness(Options options) : options_(std::move(options)) {
  environment.home = &home;
  environment.slow = &elsewhere;
  environment.clock = &clock;
  environment.log = &log;
  environment.analyzer = &analyzer;
  environment.store = &store;
  environment.counters = &counters;
  environment.timings = &timings;
  environment.config = std::make_shared<config::Config>(options_.config);
  environment.admission = options_.admission;
  environment.login_rules = options_.login_rules;
  set_chain(options_.plugins);
  session = std::make_unique<Session>(environment,
                                      Peer{.ip = options_.os_user ? "" : "10.1.2.3",
                                           .os_user = options_.os_user,
                                           .is_front = options_.is_front,
                                           .session_id = "session-1"},
                                      upstream, wake());
}

SessionHarness::~SessionHarness() {
  auto_run = true;
  run_executors();  // nothing may be pending when the session goes
}

void SessionHarness::set_chain(std::vector<std::shared_ptr<NativePlugin>> plugins) {
  for (const auto& plugin : plugins) plugin->elsewhere = options_.pending ? &elsewhere : nullptr;
  environment.chain = std::make_shared<hooks::Chain>(
      std::vector<std::shared_ptr<hooks::Plugin>>(plugins.begin(), plugins.end()));
}

void SessionHarness::connect() {
  client_sends(startup_packet(options_.startup));
  server_connected();
  server_sends(server_greeting());
  take_to_client();
  take_to_server();
}

void SessionHarness::pass_ms(std::int64_t ms) {
  clock.advance_ms(ms);
  const auto deadline = session->deadline_ns();
  if (!deadline || *deadline > clock.monotonic_ns()) return;
  perform([this](Actions& actions) { session->on_timer(actions); });
}

template <typename Event>
void SessionHarness::perform(Event event) {
  Actions actions;
  on_work(Work::event);
  event(actions);
  on_work(Work::none);
  to_client += actions.to_client.flatten();
  to_server += actions.to_server.flatten();
  asked_to_connect |= upstream.is_claimed;
  client_closed |= actions.close_client;
  server_closed |= upstream.is_given_up;
  server_finished |= actions.finish_server;
  cancels_sent += actions.send_cancel ? 1 : 0;
  cap_cancels_sent += actions.send_cap_cancel ? 1 : 0;
  if (actions.register_cancel_key) registered_key = actions.register_cancel_key;
  if (actions.deliver_cancel) delivered_cancel = actions.deliver_cancel;
  if (auto_run) run_executors();
}

void SessionHarness::run_executors() {
  while (run_one(elsewhere) || run_one(home)) {
    if (!std::exchange(woken_, false)) continue;
    const bool before = std::exchange(auto_run, false);
    perform([this](Actions& actions) { session->on_wake(actions); });
    auto_run = before;
  }
}

bool SessionHarness::run_one(helios::test::ManualExecutor& executor) {
  on_work(&executor == &home ? Work::task : Work::elsewhere);
  const bool has_run = executor.run_one();
  on_work(Work::none);
  return has_run;
}

void SessionHarness::server_connected() {
  upstream.is_granted = true;
  perform([this](Actions& actions) { session->on_granted(upstream.link, actions); });
}

void SessionHarness::client_sends(std::string_view bytes) {
  perform([&](Actions& actions) { session->on_client_bytes(bytes, actions); });
}
void SessionHarness::server_sends(std::string_view bytes) {
  perform([&](Actions& actions) { session->on_server_bytes(bytes, actions); });
}
void SessionHarness::play(const Step& step) {
  switch (step.from) {
    case Step::From::client: client_sends(step.bytes); break;
    case Step::From::server: server_sends(step.bytes); break;
    case Step::From::cancel: cap_cancelled(); break;
  }
}
void SessionHarness::client_eof() {
  perform([&](Actions& actions) { session->on_client_eof(actions); });
}
void SessionHarness::client_lost() {
  perform([&](Actions& actions) { session->on_client_lost(actions); });
}
void SessionHarness::server_failed(std::string_view reason) {
  perform([&](Actions& actions) { session->on_refused(reason, actions); });
}
void SessionHarness::server_eof() {
  perform([&](Actions& actions) { session->on_server_eof(actions); });
}
void SessionHarness::cancel() {
  perform([&](Actions& actions) { session->on_cancel(actions); });
}
void SessionHarness::cap_cancelled() {
  perform([&](Actions& actions) { session->on_cap_cancelled(actions); });
}
void SessionHarness::drain(bool force) {
  perform([&](Actions& actions) { session->on_drain(force, actions); });
}
bool SessionHarness::set_blocks(blocks::SharedBlockSet blocks) {
  environment.blocks = std::move(blocks);
  bool is_blocked = false;
  perform([&](Actions& actions) { is_blocked = session->on_blocks(actions); });
  return is_blocked;
}

std::ostream& operator<<(std::ostream& out, const Trace& trace) {
  const auto show = [](const std::string& bytes) { return base::escape_for_log(bytes, 4000); };
  return out << "\n  to client: " << show(trace.to_client)
             << "\n  to server: " << show(trace.to_server) << "\n  closed: client "
             << trace.client_closed << ", server " << trace.server_closed;
}

Trace run_scenario(const Options& options, const std::vector<Step>& steps) {
  SessionHarness harness(options);
  harness.connect();
  for (const Step& step : steps) harness.play(step);
  return {harness.to_client, harness.to_server, harness.client_closed, harness.server_closed};
}

Trace run_every_way(const Options& options, const std::vector<Step>& steps) {
  const Trace whole = run_scenario(options, steps);
  std::vector<Step> single_bytes;
  for (std::size_t at = 0; at < steps.size(); ++at) {
    if (steps[at].from == Step::From::cancel) single_bytes.push_back(steps[at]);
    for (const char byte : steps[at].bytes)
      single_bytes.push_back({steps[at].from, std::string(1, byte)});
    for (std::size_t cut = 1; cut < steps[at].bytes.size(); ++cut) {
      std::vector<Step> parts = steps;
      parts[at].bytes = steps[at].bytes.substr(0, cut);
      parts.insert(parts.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                   Step{steps[at].from, steps[at].bytes.substr(cut)});
      EXPECT_EQ(run_scenario(options, parts), whole) << "step " << at << " cut at byte " << cut;
    }
  }
  EXPECT_EQ(run_scenario(options, single_bytes), whole) << "byte by byte";
  Options late = options;
  late.pending = true;
  EXPECT_EQ(run_scenario(late, steps), whole) << "every hook pending";
  EXPECT_EQ(run_scenario(late, single_bytes), whole) << "byte by byte, every hook pending";
  return whole;
}

}  // namespace helios::session::test
