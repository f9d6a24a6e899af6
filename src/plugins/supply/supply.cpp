// SPDX-License-Identifier: Apache-2.0
#include "plugins/supply/supply.hpp"

#include "base/text.hpp"

#include <utility>

namespace helios::plugins {

namespace {

constexpr std::uint32_t kAbiVersion = 2;  // that helios_abi_version() may answer
// Instances kept ready per thread: a burst of that many statements finds them made.
constexpr std::size_t kStock = 8;
// Likewise of those that are reused: only a call that is held up takes one away.
constexpr std::size_t kReuseStock = 2;

BackoffOptions backoff_options(const config::PluginLimits& limits) {
  return {.faults_in_row = limits.backoff_after_faults,
          .first_ms = limits.backoff_ms,
          .longest_ms = limits.backoff_max_ms};
}

// Whose faults count together, see FaultBackoff.
std::string caller_of(const hooks::Call& call) {
  const hooks::Context& context = *call.statement->context;
  std::string caller = context.user;
  if (context.tenant_id) (caller += '\0') += *context.tenant_id;
  return caller;
}

}  // namespace

Supply::Supply(const PluginServices& services, PluginParts parts)
    : version_(services, std::move(parts)),
      slow_queue_(services.lane.make_queue()),
      backoff_(backoff_options(version_.manifest().limits)),
      stock_(services.slots, version_.reuses_instances() ? kReuseStock : kStock) {}

LiveInstance Supply::take_instance() {
  LiveInstance live = stock_.take();
  if (!live.slot) live.slot = version_.services().slots.try_take();
  return live;
}

void Supply::end_instance(LiveInstance live, base::Executor& home) {
  if (live.slot) stock_.put_spent(std::move(live));
  if (!stock_.is_low()) return;
  home.post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->fill_stock();
  });
}

void Supply::fill_stock() {
  base::contain(version_.services().faults, base::FaultPlace::plugin, [this] {
    stock_.end_spent();
    while (stock_.has_room() && make_one_for_stock()) {
    }
  });
  stock_.done_filling();
}

bool Supply::make_one_for_stock() {
  LiveInstance live{.slot = version_.services().slots.try_take()};
  if (!live.slot) return false;
  HostCalls calls = HostCalls::before_the_call();
  auto made = make_ready(
      version_.attempt_input(hooks::HookPoint::pre_query, "", version_.services().inline_ticks),
      calls);
  if (!made) return false;  // calls make their own, and say what is wrong
  live.instance = std::move(*made);
  return stock_.put(std::move(live));
}

// Only where nothing is left half done. A post_query that follows a pre_query is what gives back that
// one's reservations, so it is always made. An authenticate hook runs for clients that have not proved
// who they are, so one of them must not be able to switch it off for another. An operator asks now and then, and never in
// a flood: he is told what is wrong each time. Of events there are few.
bool Supply::may_back_off(const hooks::Call& call) const {
  switch (call.point) {
    case hooks::HookPoint::authenticate:
    case hooks::HookPoint::check_write:
    case hooks::HookPoint::event: return false;
    case hooks::HookPoint::pre_query: return true;
    case hooks::HookPoint::post_query:
    case hooks::HookPoint::settled: return !version_.traits().has_pre_query;
  }
  return false;
}

std::optional<std::string> Supply::why_backed_off(const hooks::Call& call) {
  if (!backoff_.is_in_use() || !may_back_off(call)) return std::nullopt;
  return backoff_.check(caller_of(call), version_.services().clock);
}

void Supply::note_fault(const hooks::Call& call, const std::string& failure) {
  if (!may_back_off(call)) return;
  const std::int64_t now_ns = version_.services().clock.monotonic_ns();
  const std::uint32_t ms = backoff_.note_fault(caller_of(call), failure, now_ns);
  if (ms == 0 || !version_.counters().note_backoff(now_ns)) return;
  version_.services().log.write(
      base::LogLevel::warning,
      "plugin " + version_.traits().name + ": backing off for " + std::to_string(ms) +
          " ms for user \"" + base::escape_for_log(call.statement->context->user, 80) +
          "\", tenant \"" +
          base::escape_for_log(call.statement->context->tenant_id.value_or(""), 80) + "\"");
}

void Supply::note_success(const hooks::Call& call) {
  if (backoff_.is_in_use() && may_back_off(call)) backoff_.note_success(caller_of(call));
}

base::Result<void> Supply::try_out() {
  const AttemptInput input = version_.attempt_input(hooks::HookPoint::pre_query, "",
                                                    deadline_ticks(version_.timeout_ms()));
  HostCalls early = HostCalls::before_the_call();
  auto made = make_ready(input, early);
  if (!made && made.error().kind == AttemptEnd::Kind::too_early) {
    stock_.close();  // how it starts depends on the call
    kv::Transaction transaction(version_.services().store, version_.space());
    HostCalls calls(transaction, version_.services().clock);
    made = make_ready(input, calls);
  }
  if (made) return check_version(**made);
  switch (made.error().kind) {
    // It reads the store while it starts, which cannot be answered now: not the plugin's fault.
    case AttemptEnd::Kind::doomed:
    case AttemptEnd::Kind::not_resident:
    case AttemptEnd::Kind::store_failed: return {};
    case AttemptEnd::Kind::overran:
      return base::fail(base::Errc::invalid,
                        "does not start within " + std::to_string(version_.timeout_ms()) + " ms");
    case AttemptEnd::Kind::failed:
      return base::fail(base::Errc::invalid, "does not start: " + made.error().failure);
    case AttemptEnd::Kind::fault:
      return base::fail(base::Errc::unavailable,
                        "cannot be started, for a fault inside the proxy: " + made.error().failure);
    case AttemptEnd::Kind::returned:
    case AttemptEnd::Kind::too_early: break;
  }
  return {};
}

// Of a plugin that starts; one that could not be started now says it at the next reload.
base::Result<void> Supply::check_version(WasmInstance& instance) {
  if (!version_.shape().says_version) return {};
  HostCalls calls = HostCalls::before_the_call();
  instance.arm(calls, deadline_ticks(version_.timeout_ms()));
  const auto version = instance.call(GuestFunction::abi_version, {});
  if (!version)
    return base::fail(base::Errc::invalid,
                      "helios_abi_version() ended with " + version.error().message);
  const auto number = static_cast<std::uint32_t>(*version);
  if (number == kAbiVersion) return {};
  return base::fail(base::Errc::invalid, "is made for version " + std::to_string(number) +
                                             " of the ABI; this proxy knows 1 and 2");
}

}  // namespace helios::plugins
