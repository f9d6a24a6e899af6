// SPDX-License-Identifier: Apache-2.0
#pragma once

// The events of the process, for plugins with the hook `event`: who hears of what, and in which order.
//
//   start   to a plugin that runs from now on, before it sees a statement
//   stop    to one that does not run any more, behind its last statement but for those that are still under way
//   others  to all that run
//
// An operator's request is told before it is carried out, and is not carried out where a plugin with on_error = "deny" could
// not be told. Everything else has happened already: a plugin that fails then leaves a line in the log.
//
// Flow: 1 start(), before anybody is served; 2 the others, as they happen; 3 stop(), then run the executor until is_idle();
// 4 forget(), when the threads of the slow lane and of the store have ended.
//
// Thread rule: the control thread, but for what says that any thread may call it. Lifetime: what is passed outlives
// it; so do those who call, and what they post to the control thread is not run after it has ended.

#include "admin/control.hpp"
#include "app/event_json.hpp"
#include "app/refusal_log.hpp"
#include "base/executor.hpp"
#include "base/log.hpp"
#include "blocks/block.hpp"
#include "plugins/event_announcer.hpp"
#include "plugins/hmac.hpp"
#include "plugins/plugin_host.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

namespace helios::app {

class EventFeed final : public DeniedLogins {
 public:
  // Denied logins that wait to be told, at most: clients make them as they like.
  static constexpr std::uint32_t kMaxWaitingLogins = 1'000;

  // What the admin interface is told, on the control thread: empty, or why the request must not be carried out.
  using OnTold = std::move_only_function<void(std::string)>;

  EventFeed(const plugins::PluginHost& host, base::Executor& control, base::Log& log,
            const plugins::HmacKey& hmac_key, ProcessFacts facts);

  void start();
  // A reload is through; with `is_refused` nothing has changed. `go_on` puts what is new into force: when those who are to
  // run from now on have been told. The task that it is given tells those who do not run any more, and is called when all is in force.
  void reload(std::string configuration, bool is_refused, const admin::ReloadReport& report,
              std::move_only_function<void(base::Task)> go_on);
  void stop();
  [[nodiscard]] bool is_idle() const { return announcer_.is_idle(); }
  void forget() { announcer_.stop(); }

  // Whether anybody listens; what is about to be told may then be left out. Thread rule: any.
  [[nodiscard]] bool has_listeners() const { return has_listeners_.load(); }
  // What the event of this action tells. Thread rule: any.
  [[nodiscard]] std::string detail_of(const admin::AdminAction& action) const;
  void admin_action(std::string detail, OnTold done);
  void blocked(const blocks::Block& block, std::uint64_t sessions_ended);
  void unblocked(const blocks::Block& block, std::string_view cause);

  // Thread rule: any.
  void note_denied_login(const session::RefusalRecord& record, bool by_server) override;

 private:
  using Listeners = plugins::EventAnnouncer::Listeners;

  void tell(std::string_view kind, std::string detail, Listeners listeners);
  void tell_login(const session::RefusalRecord& record, bool by_server);
  void tell_removed(const Listeners& removed);
  void log_problem(std::string_view kind, const plugins::EventOutcome& outcome);

  const plugins::PluginHost& host_;
  base::Executor& control_;
  base::Log& log_;
  const plugins::HmacKey& hmac_key_;
  ProcessFacts facts_;
  plugins::EventAnnouncer announcer_;
  Listeners listeners_;  // that have been told that they run
  std::atomic<bool> has_listeners_ = false;
  std::atomic<std::uint32_t> waiting_logins_ = 0;
  std::atomic<std::uint64_t> left_out_ = 0;  // denied logins that nobody was told of
};

}  // namespace helios::app
