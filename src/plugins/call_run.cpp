// SPDX-License-Identifier: Apache-2.0
#include "plugins/call_run.hpp"

#include "base/text.hpp"

#include <cassert>
#include <utility>

namespace helios::plugins {

namespace {

// Attempts that lost against another commit before the call asks to be alone.
constexpr std::uint32_t kMaxConflicts = 3;
// Conflicts of a call that is alone: only a store shared with others can make them.
constexpr std::uint32_t kMaxExclusiveConflicts = 20;
// Values that one call may have to wait for, one after the other.
constexpr std::uint32_t kMaxFetches = 100;
// Of input whose storage is kept for the next call.
constexpr std::size_t kMaxKeptBytes = 64 * 1024;

constexpr std::size_t kMaxFailureBytes = 400;  // of the line for people
constexpr const char* kFault = "a fault inside the proxy, see its log";

std::string_view to_word(hooks::HookPoint point) {
  switch (point) {
    case hooks::HookPoint::authenticate: return "authenticate";
    case hooks::HookPoint::pre_query: return "pre_query";
    case hooks::HookPoint::post_query: return "post_query";
    case hooks::HookPoint::settled: return "settled";
    case hooks::HookPoint::check_write: return "check_write";
    case hooks::HookPoint::event: return "event";
  }
  return "";
}

}  // namespace

hooks::RunStatus CallRun::start(hooks::Call& call) {
  call_ = &call;
  conflicts_ = 0;
  fetches_ = 0;
  version_.counters().add(PluginEvent::call);
  if (!version_.shape().says_version) version_.write_input(call, json_);
  if (transaction_)
    transaction_->reset();
  else
    transaction_.emplace(version_.services().store, version_.space());
  const Next next = begins_slow() ? go_slow() : run_attempts(Lane::event_loop);
  if (next == Next::waiting) return hooks::RunStatus::pending;  // it may be over by now
  if (json_.capacity() > kMaxKeptBytes) json_ = std::string();
  return hooks::RunStatus::done;
}

// What is about no statement runs for somebody who can wait, on a thread that has others to serve.
bool CallRun::is_of_no_client() const {
  return call_->point == hooks::HookPoint::check_write || call_->point == hooks::HookPoint::event;
}

bool CallRun::begins_slow() const { return is_of_no_client() || supply_.begins_slow(); }

template <typename Step>
CallRun::Next CallRun::run(Step&& step) {
  Next next = Next::finished;
  const bool is_through = base::contain(version_.services().faults, base::FaultPlace::plugin,
                                        [&] { next = std::forward<Step>(step)(); });
  return is_through ? next : fail(kFault);
}

CallRun::Next CallRun::run_attempts(Lane lane) {
  return run([this, lane] {
    Next next = Next::again;
    while (next == Next::again) next = attempt(lane);
    return next;
  });
}

CallRun::Next CallRun::attempt(Lane lane) {
  if (call_->is_cancelled.load(std::memory_order_relaxed)) return fail_cancelled();
  if (lane == Lane::slow) {
    LiveInstance live;
    return after_attempt(lane, run_guest(lane, live));
  }
  if (!live_.slot) live_ = supply_.take_instance();
  if (!live_.slot) return go_slow();
  AttemptEnd end = run_guest(lane, live_);
  const bool may_keep = version_.reuses_instances() && end.kind == AttemptEnd::Kind::returned &&
                        version_.services().slots.has_spare();
  if (!may_keep) supply_.end_instance(std::move(live_), *call_->home);
  return after_attempt(lane, std::move(end));
}

AttemptEnd CallRun::run_guest(Lane lane, LiveInstance& live) {
  const PluginServices& services = version_.services();
  const std::uint32_t ticks =
      lane == Lane::event_loop ? services.inline_ticks : deadline_ticks(version_.timeout_ms());
  const std::int64_t began_ns = lane == Lane::slow ? services.clock.monotonic_ns() : 0;
  effects_.clear();
  HostCalls calls(*transaction_, services.clock, version_.scope(*call_, effects_));
  AttemptEnd end =
      run_attempt(version_.attempt_input(call_->point, json_, ticks), calls, live.instance);
  refusal_.clear();
  if (calls.refused_writes() != 0) note_refused_writes(calls);
  if (end.kind != AttemptEnd::Kind::overran) note_duration(lane, began_ns);
  return end;
}

void CallRun::note_refused_writes(const HostCalls& calls) {
  version_.counters().add(PluginEvent::refused_write, calls.refused_writes());
  const RefusedWrite& write = calls.last_refused_write();
  refusal_ = to_text(write, version_.services().store, version_.space());
  if (write.status == kv::WriteStatus::namespace_full ||
      write.status == kv::WriteStatus::store_full)
    version_.note_full(write);
}

// At commit, what the call wrote and appended did not fit any more: one of both.
void CallRun::note_full() {
  const RefusedWrite records{.bytes = transaction_->append_bytes(), .is_record = true};
  const bool is_of_records =
      records.bytes != 0 && limit_reached(version_.services().store, version_.space(), records);
  version_.note_full(is_of_records ? records : RefusedWrite{.bytes = transaction_->write_bytes()});
}

// Keeps track of whether the plugin is one for the slow lane.
void CallRun::note_duration(Lane lane, std::int64_t began_ns) {
  if (lane == Lane::event_loop) {
    supply_.lane_policy().note_quick_inline();
    return;
  }
  constexpr std::int64_t kSliceNs = std::int64_t{kTickMs} * (kInlineTicks - 1) * 1'000'000;
  supply_.lane_policy().note_slow_lane(version_.services().clock.monotonic_ns() - began_ns <
                                       kSliceNs);
}

CallRun::Next CallRun::after_attempt(Lane lane, AttemptEnd&& end) {
  switch (end.kind) {
    case AttemptEnd::Kind::returned:
      return transaction_->is_untouched() ? after_commit(kv::CommitStatus::done) : commit();
    case AttemptEnd::Kind::doomed: return after_conflict();
    case AttemptEnd::Kind::not_resident: return fetch();
    case AttemptEnd::Kind::overran: return after_overrun(lane);
    case AttemptEnd::Kind::store_failed: return fail_by_store("reads more than one call may");
    case AttemptEnd::Kind::too_early: assert(false); break;
    case AttemptEnd::Kind::fault: return fail_by_fault(end.failure);
    case AttemptEnd::Kind::failed: return fail_by_guest(end.failure, end.place);
  }
  return Next::finished;
}

CallRun::Next CallRun::commit() {
  const auto make_done = [this]() -> kv::OnCommit {
    return [self = self()](kv::CommitStatus late) {
      // On some thread of the store's: only pass it on.
      self->call_->home->post(
          [self, late] { self->hand_over(self->run([&] { return self->after_commit(late); })); });
    };
  };
  const kv::CommitStatus status = transaction_->commit_or_make(make_done);
  return status == kv::CommitStatus::pending ? Next::waiting : after_commit(status);
}

CallRun::Next CallRun::after_commit(kv::CommitStatus status) {
  switch (status) {
    case kv::CommitStatus::done: break;
    case kv::CommitStatus::conflict: return after_conflict();
    case kv::CommitStatus::full:
      note_full();
      return fail("the store is full: what the call wrote does not fit any more");
    case kv::CommitStatus::failed: return fail_by_store("");
    case kv::CommitStatus::pending: assert(false); return Next::waiting;
  }
  exclusivity_.reset();
  note_retries();
  if (const kv::Ticket ticket = transaction_->ticket(); ticket != kv::kNoTicket)
    call_->result.receipt = {version_.services().store, ticket};
  if (effects_.any) apply_effects();
  supply_.note_success(*call_);
  call_->result.status = hooks::CallResult::Status::ok;
  return Next::finished;
}

void CallRun::apply_effects() {
  if ((effects_.verdict.action == hooks::Verdict::Action::block && !is_of_no_client()) ||
      effects_.authentication.action == hooks::AuthenticationVerdict::Action::denied)
    version_.counters().add(PluginEvent::refusal);
  call_->result.verdict = std::move(effects_.verdict);
  call_->result.authentication = std::move(effects_.authentication);
  call_->result.skips_settled = effects_.skips_settled;
  if (effects_.scratch_size) {
    std::vector<char>& kept = call_->statement->plugins[call_->slot].scratch;
    kept.assign(effects_.scratch.begin(),
                effects_.scratch.begin() + static_cast<std::ptrdiff_t>(*effects_.scratch_size));
  }
  for (const auto& [name, amount] : effects_.metrics)
    version_.counters().metrics().add(name, amount);
  write_log_lines("");
}

// What the guest said. `mark`: what becomes of it, where it does not count.
void CallRun::write_log_lines(std::string_view mark) {
  const PluginServices& services = version_.services();
  for (const AttemptEffects::LogLine& line : effects_.log)
    if (services.log.enabled(line.level) &&
        version_.counters().note_log_line(services.clock.monotonic_ns()))
      services.log.write(line.level, "plugin " + version_.traits().name + std::string(mark) + ": " +
                                         base::escape_for_log(line.text, kMaxLogBytes));
}

// What is about no statement has none on the event loop, and needs none ready there.
void CallRun::end_instance() {
  if (!is_of_no_client()) supply_.end_instance(std::move(live_), *call_->home);
}

CallRun::Next CallRun::after_conflict() {
  end_instance();
  version_.counters().add(PluginEvent::retry);
  ++conflicts_;
  if (exclusivity_ && conflicts_ >= kMaxExclusiveConflicts)
    return fail("the store changed under every one of " + std::to_string(conflicts_) + " attempts");
  transaction_->reset();
  return !exclusivity_ && conflicts_ > kMaxConflicts ? go_exclusive() : Next::again;
}

CallRun::Next CallRun::after_overrun(Lane lane) {
  if (call_->is_cancelled.load(std::memory_order_relaxed)) return fail_cancelled();
  if (lane == Lane::slow) {
    supply_.lane_policy().note_slow_lane(false);
    return fail_by_guest("timeout after " + std::to_string(version_.timeout_ms()) + " ms");
  }
  supply_.lane_policy().note_overrun(version_.services().clock.monotonic_ns());
  version_.counters().add(PluginEvent::overrun);
  return go_slow();
}

CallRun::Next CallRun::fetch() {
  if (++fetches_ > kMaxFetches)
    return fail("needs more than " + std::to_string(kMaxFetches) + " values from the store");
  version_.services().store.fetch(*transaction_, [self = self()] {
    self->call_->home->post([self] {
      self->transaction_->reset();
      self->resume_at_home();
    });
  });
  return Next::waiting;
}

CallRun::Next CallRun::go_exclusive() {
  version_.counters().add(PluginEvent::exclusive);
  version_.services().store.request_exclusive(
      version_.space(), [self = self()](std::unique_ptr<kv::Exclusivity> granted) {
        self->exclusivity_ = std::move(granted);
        self->transaction_.emplace(self->version_.services().store, self->version_.space(),
                                   self->exclusivity_.get());
        // It holds up every other writer, so it does not stand in line.
        self->supply_.slow_queue().post_first([self] { self->run_on_slow_lane(); });
      });
  return Next::waiting;
}

CallRun::Next CallRun::go_slow() {
  transaction_->reset();
  supply_.slow_queue().post([self = self()] { self->run_on_slow_lane(); });
  return Next::waiting;
}

void CallRun::note_retries() {
  if (conflicts_ != 0) version_.counters().note_retried_call(conflicts_);
}

CallRun::Next CallRun::fail(std::string why) {
  exclusivity_.reset();
  note_retries();
  end_instance();
  const PluginServices& services = version_.services();
  version_.counters().add(PluginEvent::failure);
  why = base::escape_for_log(why, kMaxFailureBytes);
  if (version_.counters().note_failure(why, services.clock.monotonic_ns()))
    services.log.write(base::LogLevel::warning, "plugin " + version_.traits().name + ": " +
                                                    std::string(to_word(call_->point)) +
                                                    " failed: " + why);
  call_->result.status = hooks::CallResult::Status::failed;
  call_->result.failure = std::move(why);
  return Next::finished;
}

// `place`: as in Fault.
CallRun::Next CallRun::fail_by_guest(const std::string& why, const std::string& place) {
  // What the guest does about a refused write is often a trap, which tells an operator nothing.
  const std::string before = refusal_.empty() ? "" : "; before that " + refusal_;
  // A panic says why on its standard error, and nothing else does.
  if (effects_.any) write_log_lines(" (attempt that failed)");
  const Next next = fail(why + (place.empty() ? "" : " [" + place + "]") + before);
  if (!place.empty())
    call_->result.client_failure = base::escape_for_log(why + before, kMaxFailureBytes);
  supply_.note_fault(*call_, call_->result.failure);
  return next;
}

CallRun::Next CallRun::fail_by_fault(std::string_view what) {
  if (base::FaultSink* const faults = version_.services().faults)
    faults->report(base::FaultPlace::plugin, what);
  return fail(kFault);
}

// `if_healthy`: what it must have been when the store itself says that it works.
CallRun::Next CallRun::fail_by_store(std::string_view if_healthy) {
  std::string why = version_.services().store.health();
  if (why.empty()) why = if_healthy;
  return fail("the store failed" + (why.empty() ? "" : ": " + why));
}

// That is no failure of the plugin.
CallRun::Next CallRun::fail_cancelled() {
  exclusivity_.reset();
  note_retries();
  end_instance();
  call_->result.status = hooks::CallResult::Status::failed;
  call_->result.failure = "cancelled";
  return Next::finished;
}

void CallRun::run_on_slow_lane() {
  if (run_attempts(Lane::slow) == Next::finished)
    call_->home->post([self = self()] { self->hand_over(Next::finished); });
}

// The rest of the call after the store has answered, on home's thread.
void CallRun::resume_at_home() {
  if (exclusivity_)
    supply_.slow_queue().post_first([self = self()] { self->run_on_slow_lane(); });
  else if (begins_slow())
    static_cast<void>(go_slow());
  else
    hand_over(run_attempts(Lane::event_loop));
}

// On home's thread, when start() has long returned.
void CallRun::hand_over(Next next) {
  switch (next) {
    case Next::waiting: return;
    case Next::again: resume_at_home(); return;
    case Next::finished: break;
  }
  // What comes now may end the plugin, and with it the transaction's namespace.
  transaction_.reset();
  if (live_.instance) supply_.keep_instance(std::move(live_));
  auto on_done = std::move(call_->on_done);
  on_done();
}

}  // namespace helios::plugins
