// SPDX-License-Identifier: Apache-2.0
#include "plugins/event_announcer.hpp"

#include <utility>

namespace helios::plugins {

// What its calls refer to stays here until the last of them is over.
struct EventAnnouncer::Pending {
  hooks::Event event;
  Listeners listeners;
  Done done;
  std::size_t next = 0;  // of listeners
  EventOutcome outcome = {};
  std::unique_ptr<hooks::Call> call = nullptr;
};

EventAnnouncer::EventAnnouncer(base::Executor& home) : home_(home) {}

EventAnnouncer::~EventAnnouncer() = default;

EventAnnouncer::Listeners EventAnnouncer::listeners_among(const Listeners& plugins) {
  Listeners found;
  for (const auto& plugin : plugins)
    if (plugin->version().shape().has_event) found.push_back(plugin);
  return found;
}

void EventAnnouncer::stop() { waiting_.clear(); }

void EventAnnouncer::announce(hooks::Event event, Listeners listeners, Done done) {
  waiting_.push_back(
      std::make_unique<Pending>(Pending{std::move(event), std::move(listeners), std::move(done)}));
  if (!is_running_) run();
}

void EventAnnouncer::run() {
  is_running_ = true;
  while (!waiting_.empty()) {
    Pending& first = *waiting_.front();
    if (first.next < first.listeners.size()) {
      if (start_call(first)) return;
      continue;
    }
    const std::unique_ptr<Pending> told = std::move(waiting_.front());
    waiting_.pop_front();
    if (told->done) told->done(told->outcome);  // may announce more
  }
  is_running_ = false;
}

// True: the call goes on elsewhere, and run() with its end.
bool EventAnnouncer::start_call(Pending& pending) {
  pending.call = std::make_unique<hooks::Call>();
  hooks::Call& call = *pending.call;
  call.point = hooks::HookPoint::event;
  call.event = &pending.event;
  call.home = &home_;
  call.on_done = [this, &pending] {
    end_call(pending);
    run();
  };
  if (pending.listeners[pending.next]->run(call) == hooks::RunStatus::pending) return true;
  end_call(pending);
  return false;
}

void EventAnnouncer::end_call(Pending& pending) {
  const hooks::PluginTraits& traits = pending.listeners[pending.next++]->traits();
  const hooks::CallResult& result = pending.call->result;
  const bool is_objection =
      result.status == hooks::CallResult::Status::failed && traits.on_error == hooks::OnError::deny;
  if (is_objection && pending.outcome.problem.empty())
    pending.outcome.problem =
        "plugin \"" + traits.name + "\" failed (" +
        (result.client_failure.empty() ? result.failure : result.client_failure) + ")";
}

}  // namespace helios::plugins
