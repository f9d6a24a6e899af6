// SPDX-License-Identifier: Apache-2.0
#include "plugins/wasm_plugin.hpp"

#include "base/text.hpp"
#include "plugins/abi/abi1_input.hpp"
#include "plugins/call_run.hpp"

#include <utility>

namespace helios::plugins {

namespace {

constexpr std::uint64_t kMib = 1 << 20;
constexpr std::uint64_t kKib = 1 << 10;
constexpr std::uint32_t kAbiVersion = 2;  // that helios_abi_version() may answer
// Instances kept ready per thread: a burst of that many statements finds them made.
constexpr std::size_t kStock = 8;
// Likewise of those that are reused: only a call that is held up takes one away.
constexpr std::size_t kReuseStock = 2;

hooks::PluginTraits make_traits(const PluginParts& parts) {
  return {.name = parts.manifest.name,
          .order = parts.manifest.order,
          .has_authenticate = parts.shape.has_authenticate,
          .has_pre_query = parts.shape.has_pre_query,
          .has_post_query = parts.shape.has_post_query,
          .has_settled = parts.shape.has_settled,
          .all_statements = parts.manifest.all_statements,
          .on_error = parts.manifest.on_error};
}

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

WasmPlugin::WasmPlugin(const PluginServices& services, PluginParts parts)
    : services_(services),
      parts_(std::move(parts)),
      traits_(make_traits(parts_)),
      config_attributes_(config_attributes(parts_.manifest.config)),
      slow_queue_(services.lane.make_queue()),
      backoff_(backoff_options(parts_.manifest.limits)),
      stock_(services.slots, parts_.manifest.reuses_instances ? kReuseStock : kStock),
      looks_at_tenant_(!parts_.shape.says_version) {}

WasmPlugin::~WasmPlugin() {
  for (IdleRun& idle : idle_runs_) end_run(idle.run.exchange(nullptr));
}

hooks::RunStatus WasmPlugin::run(hooks::Call& call) {
  if (is_backed_off(call)) return hooks::RunStatus::done;
  std::shared_ptr<CallRun> run = take_run();
  // Once a run waits, it is its own; the call, and the plugin with it, may be gone at any time.
  if (run->start(call) == hooks::RunStatus::pending) return hooks::RunStatus::pending;
  keep_run(std::move(run));
  return hooks::RunStatus::done;
}

std::shared_ptr<CallRun> WasmPlugin::take_run() {
  CallRun* const resting = idle_runs_[thread_shard()].run.exchange(nullptr);
  return resting == nullptr ? std::make_shared<CallRun>(*this) : resting->wake();
}

void WasmPlugin::keep_run(std::shared_ptr<CallRun> run) {
  std::atomic<CallRun*>& idle = idle_runs_[thread_shard()].run;
  end_run(idle.exchange(CallRun::rest(std::move(run))));
  // Put down, then look: retire() does it in the opposite order, so one of the two ends it.
  if (is_retired_.load()) end_run(idle.exchange(nullptr));
}

void WasmPlugin::end_run(CallRun* resting) {
  if (resting != nullptr) resting->wake().reset();
}

void WasmPlugin::write_input(const hooks::Call& call, std::string& out) const {
  if (call.point == hooks::HookPoint::authenticate)
    out = abi1_authentication_input(*call.authentication, std::move(out));
  else
    out = abi1_input(call.point, *call.statement, config_attributes_, std::move(out),
                     parts_.manifest.sends_normalized);
}

CallScope WasmPlugin::scope(const hooks::Call& call, AttemptEffects& effects) const {
  return {.call = &call,
          .effects = &effects,
          .config = &parts_.manifest.config,
          .metrics = &parts_.counters->metrics(),
          .looks_at_tenant = &looks_at_tenant_,
          .takes_verdicts = parts_.shape.says_version,
          .max_answer_bytes = parts_.manifest.limits.output_kb * kKib};
}

LiveInstance WasmPlugin::take_instance() {
  LiveInstance live = stock_.take();
  if (!live.slot) live.slot = services_.slots.try_take();
  return live;
}

void WasmPlugin::end_instance(LiveInstance live, base::Executor& home) {
  if (live.slot) stock_.put_spent(std::move(live));
  if (!stock_.is_low()) return;
  home.post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->fill_stock();
  });
}

void WasmPlugin::fill_stock() {
  base::contain(services_.faults, base::FaultPlace::plugin, [this] {
    stock_.end_spent();
    while (stock_.has_room() && make_one_for_stock()) {
    }
  });
  stock_.done_filling();
}

bool WasmPlugin::make_one_for_stock() {
  LiveInstance live{.slot = services_.slots.try_take()};
  if (!live.slot) return false;
  HostCalls calls = HostCalls::before_the_call();
  auto made =
      make_ready(attempt_input(hooks::HookPoint::pre_query, "", services_.inline_ticks), calls);
  if (!made) return false;  // calls make their own, and say what is wrong
  live.instance = std::move(*made);
  return stock_.put(std::move(live));
}

void WasmPlugin::retire() {
  is_retired_.store(true);
  stock_.close();
  for (IdleRun& idle : idle_runs_) end_run(idle.run.exchange(nullptr));
}

AttemptInput WasmPlugin::attempt_input(hooks::HookPoint point, std::string_view json,
                                       std::uint32_t deadline_ticks) const {
  const config::PluginLimits& limits = parts_.manifest.limits;
  return {.module = *parts_.module,
          .layout = parts_.layout,
          .call_initialize = parts_.shape.has_initialize,
          .is_abi2 = parts_.shape.says_version,
          .point = point,
          .json = json,
          .memory_bytes = limits.memory_mb * kMib,
          .table_elements = limits.table_elements,
          .max_output_bytes = limits.output_kb * kKib,
          .deadline_ticks = deadline_ticks};
}

// Only where nothing is left half done. A post_query that follows a pre_query is what gives back that
// one's reservations, so it is always made. An authenticate hook runs for clients that have not proved
// who they are, so one of them must not be able to switch it off for another.
bool WasmPlugin::may_back_off(const hooks::Call& call) const {
  switch (call.point) {
    case hooks::HookPoint::authenticate: return false;
    case hooks::HookPoint::pre_query: return true;
    case hooks::HookPoint::post_query:
    case hooks::HookPoint::settled: return !traits_.has_pre_query;
  }
  return false;
}

bool WasmPlugin::is_backed_off(hooks::Call& call) {
  if (!backoff_.is_in_use() || !may_back_off(call)) return false;
  auto why = backoff_.check(caller_of(call), services_.clock);
  if (!why) return false;
  counters().add(PluginEvent::call);
  counters().add(PluginEvent::backed_off);
  call.result.status = hooks::CallResult::Status::failed;
  call.result.failure = std::move(*why);
  return true;
}

void WasmPlugin::note_fault(const hooks::Call& call, const std::string& failure) {
  if (!may_back_off(call)) return;
  const std::int64_t now_ns = services_.clock.monotonic_ns();
  const std::uint32_t ms = backoff_.note_fault(caller_of(call), failure, now_ns);
  if (ms == 0 || !counters().note_backoff(now_ns)) return;
  services_.log.write(
      base::LogLevel::warning,
      "plugin " + traits_.name + ": backing off for " + std::to_string(ms) + " ms for user \"" +
          base::escape_for_log(call.statement->context->user, 80) + "\", tenant \"" +
          base::escape_for_log(call.statement->context->tenant_id.value_or(""), 80) + "\"");
}

void WasmPlugin::note_success(const hooks::Call& call) {
  if (backoff_.is_in_use() && may_back_off(call)) backoff_.note_success(caller_of(call));
}

void WasmPlugin::note_full(std::uint64_t bytes) {
  if (!counters().full().note_refused(bytes, services_.clock.monotonic_ns())) return;
  const auto why = limit_reached(services_.store, space(), bytes);
  if (!why) return;  // it was filled by what one call wrote, and that is gone
  services_.log.write(base::LogLevel::error,
                      "plugin " + traits_.name + ": the namespace " + space().name() +
                          " is full: " + *why +
                          (traits_.on_error == hooks::OnError::deny
                               ? "; statements that it has to write for are refused, /readyz is 503"
                               : "; what it has to write is lost"));
}

base::Result<void> WasmPlugin::try_out() {
  const AttemptInput input =
      attempt_input(hooks::HookPoint::pre_query, "", deadline_ticks(timeout_ms()));
  HostCalls early = HostCalls::before_the_call();
  auto made = make_ready(input, early);
  if (!made && made.error().kind == AttemptEnd::Kind::too_early) {
    stock_.close();  // how it starts depends on the call
    kv::Transaction transaction(services_.store, space());
    HostCalls calls(transaction, services_.clock);
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
                        "does not start within " + std::to_string(timeout_ms()) + " ms");
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
base::Result<void> WasmPlugin::check_version(WasmInstance& instance) {
  if (!parts_.shape.says_version) return {};
  HostCalls calls = HostCalls::before_the_call();
  instance.arm(calls, deadline_ticks(timeout_ms()));
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
