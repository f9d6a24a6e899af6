// SPDX-License-Identifier: Apache-2.0

#include "app/admin_control.hpp"

#include <algorithm>
#include <utility>

namespace helios::app {
namespace {

admin::PluginStatus to_status(const plugins::PluginInfo& info) {
  admin::PluginStatus status;
  status.name = info.name;
  status.namespace_name = info.space;
  status.version = info.version;
  status.sha256 = info.sha256;
  status.manifest_sha256 = info.manifest_sha256;
  status.file = info.file;
  status.abi = info.abi;
  status.hooks = info.hooks;
  status.state = plugins::to_text(info.state);
  status.order = info.order;
  status.on_error = info.on_error == hooks::OnError::deny ? "deny" : "allow";
  status.calls = info.calls;
  status.failures = info.failures;
  status.refusals = info.refusals;
  status.retries = info.retries;
  status.overruns = info.overruns;
  status.exclusive_runs = info.exclusive;
  status.durability = info.durability;
  status.is_slow = info.is_slow;
  status.backed_off = info.backed_off;
  status.backing_off_callers = info.backing_off_callers;
  status.backing_off_left_ms = info.backing_off_left_ms;
  status.metrics = info.metrics;
  status.warnings = info.warnings;
  status.last_error = info.load_error.empty() ? info.last_error : info.load_error;
  return status;
}

admin::WriteOpinion::Kind to_kind(plugins::WriteOpinion::Kind kind) {
  switch (kind) {
    case plugins::WriteOpinion::Kind::allowed: return admin::WriteOpinion::Kind::allowed;
    case plugins::WriteOpinion::Kind::refused: return admin::WriteOpinion::Kind::refused;
    case plugins::WriteOpinion::Kind::failed: return admin::WriteOpinion::Kind::failed;
  }
  std::unreachable();
}

std::string_view to_word(net::ServerHealth::State state) {
  switch (state) {
    case net::ServerHealth::State::unknown: return "unknown";
    case net::ServerHealth::State::up: return "up";
    case net::ServerHealth::State::down: return "down";
  }
  std::unreachable();
}

}  // namespace

std::vector<admin::PluginStatus> AdminControl::plugins() {
  std::vector<admin::PluginStatus> result;
  for (const auto& info : process_.host.describe()) {
    result.push_back(to_status(info));
  }
  std::ranges::stable_sort(result, [](const auto& a, const auto& b) {
    return std::pair(a.order, a.name) < std::pair(b.order, b.name);
  });
  return result;
}

// Runs `task(done)` on the control thread, where the process is not ending yet.
template <typename Done, typename Task>
void AdminControl::on_control(Done done, Task task) {
  process_.control.post([this, done = std::move(done), task = std::move(task)]() mutable {
    if (process_.serving) {
      task(std::move(done));
    } else {
      done(base::fail(base::Errc::unavailable, "not serving"));
    }
  });
}

void AdminControl::reload_plugins(admin::OnReloaded done) {
  on_control(std::move(done), [this](auto reloaded) { process_.reload(std::move(reloaded)); });
}

void AdminControl::block(admin::BlockRequest request, admin::OnBlocked done) {
  on_control(std::move(done), [this, request = std::move(request)](auto blocked) mutable {
    process_.blocks.block(std::move(request), std::move(blocked));
  });
}

void AdminControl::unblock(blocks::Kind kind, std::string name, admin::OnBlocked done) {
  on_control(std::move(done), [this, kind, name = std::move(name)](auto unblocked) {
    process_.blocks.unblock(kind, name, std::move(unblocked));
  });
}

void AdminControl::tell_action(const admin::AdminAction& action,
                               std::shared_ptr<base::Executor> home, admin::OnTold done) {
  if (!process_.events.has_listeners()) return done({});
  auto answer = [home = std::move(home), done = std::move(done)](std::string problem) mutable {
    home->post([done = std::move(done), problem = std::move(problem)]() mutable {
      done(std::move(problem));
    });
  };
  process_.control.post(
      [this, detail = process_.events.detail_of(action), answer = std::move(answer)]() mutable {
        process_.events.admin_action(std::move(detail), std::move(answer));
      });
}

std::string AdminControl::sole_writer_of(std::string_view space) {
  for (const auto& plugin : process_.host.running())
    if (plugin->version().manifest().is_append_only && plugin->version().space().name() == space)
      return plugin->traits().name;
  return {};
}

void AdminControl::judge_write(admin::KeyWrite write, std::shared_ptr<base::Executor> home,
                               admin::OnJudged done) {
  process_.judge.judge(
      write.space, {std::move(write.key), std::move(write.value)}, std::move(home),
      [done = std::move(done)](plugins::WriteOpinion opinion) mutable {
        done({to_kind(opinion.kind), std::move(opinion.plugin), std::move(opinion.reason)});
      });
}

std::vector<admin::IdentityRuleStatus> AdminControl::identity_rules() {
  std::vector<admin::IdentityRuleStatus> result;
  for (auto& [rule, matches] : process_.identity_rules.read()) {
    result.push_back({.user = rule.user,
                      .database = rule.database,
                      .client = rule.client.text(),
                      .os_user = rule.os_user,
                      .settings = rule.settings,
                      .is_pinned = rule.pinned,
                      .is_tenant_rule = rule.is_tenant_rule,
                      .matches = matches});
  }
  return result;
}

admin::ServerStatus AdminControl::server() {
  const auto health = process_.proxy.server_health();
  if (!health) return {};
  auto reading = health->read();
  const auto age_ns = process_.clock.monotonic_ns() - reading.last_attempt_ns;
  return {.state = to_word(reading.state),
          .seconds_ago = std::max<std::int64_t>(age_ns / 1'000'000'000, 0),
          .reason = std::move(reading.reason)};
}

base::Result<void> AdminControl::ready() {
  if (!process_.serving) {
    return base::fail(base::Errc::unavailable, "not serving");
  }
  if (auto broken = process_.store.health(); !broken.empty()) {
    return base::fail(base::Errc::unavailable, std::move(broken));
  }
  if (auto full = process_.host.why_full()) {
    return base::fail(base::Errc::unavailable, *std::move(full));
  }
  return {};
}

}  // namespace helios::app
