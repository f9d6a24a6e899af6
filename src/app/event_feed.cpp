// SPDX-License-Identifier: Apache-2.0
#include "app/event_feed.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

namespace helios::app {
namespace {

using plugins::EventAnnouncer;
using plugins::EventOutcome;

bool has_name(const EventAnnouncer::Listeners& listeners, const std::string& name) {
  return std::ranges::any_of(listeners,
                             [&](const auto& each) { return each->traits().name == name; });
}

// Those of `listeners` of whom `others` has none of that name.
EventAnnouncer::Listeners without(const EventAnnouncer::Listeners& listeners,
                                  const EventAnnouncer::Listeners& others) {
  EventAnnouncer::Listeners left;
  for (const auto& each : listeners)
    if (!has_name(others, each->traits().name)) left.push_back(each);
  return left;
}

std::string hmac_of(const plugins::HmacKey& key, std::string_view bytes) {
  if (bytes.empty()) return {};
  std::array<char, base::kSha256HexBytes> digits{};
  // Nobody ends it early.
  static_cast<void>(plugins::hmac_sha256_hex_while([] { return true; }, key, bytes, digits));
  return {digits.begin(), digits.end()};
}

}  // namespace

EventFeed::EventFeed(const plugins::PluginHost& host, base::Executor& control, base::Log& log,
                     const plugins::HmacKey& hmac_key, ProcessFacts facts)
    : host_(host),
      control_(control),
      log_(log),
      hmac_key_(hmac_key),
      facts_(std::move(facts)),
      announcer_(control) {}

void EventFeed::start() {
  listeners_ = EventAnnouncer::listeners_among(host_.running());
  has_listeners_ = !listeners_.empty();
  tell("start", start_json(facts_, "start", host_.describe()), listeners_);
}

void EventFeed::reload(std::string configuration, bool is_refused,
                       const admin::ReloadReport& report,
                       std::move_only_function<void(base::Task)> go_on) {
  const std::string old = std::exchange(facts_.configuration, std::move(configuration));
  const Listeners before = std::move(listeners_);
  listeners_ = EventAnnouncer::listeners_among(host_.running());
  has_listeners_ = !listeners_.empty();
  const Listeners added = without(listeners_, before);
  const Listeners removed = without(before, listeners_);
  tell("reload", reload_json(facts_, old, is_refused, report), without(listeners_, added));
  hooks::Event event{"start", start_json(facts_, "added", host_.describe())};
  announcer_.announce(std::move(event), added,
                      [this, removed, go_on = std::move(go_on)](const EventOutcome& told) mutable {
                        log_problem("start", told);
                        go_on([this, removed] { tell_removed(removed); });
                      });
}

void EventFeed::tell_removed(const Listeners& removed) {
  if (!removed.empty()) tell("stop", stop_json(facts_, "removed"), removed);
}

void EventFeed::stop() { tell("stop", stop_json(facts_, "shutdown"), listeners_); }

std::string EventFeed::detail_of(const admin::AdminAction& action) const {
  return admin_json(action, hmac_of(hmac_key_, action.body));
}

void EventFeed::admin_action(std::string detail, OnTold done) {
  announcer_.announce({"admin", std::move(detail)}, listeners_,
                      [this, done = std::move(done)](const EventOutcome& told) mutable {
                        log_problem("admin", told);
                        done(told.problem);
                      });
}

void EventFeed::blocked(const blocks::Block& block, std::uint64_t sessions_ended) {
  tell("block", block_json(block, sessions_ended), listeners_);
}

void EventFeed::unblocked(const blocks::Block& block, std::string_view cause) {
  tell("unblock", unblock_json(block, cause), listeners_);
}

void EventFeed::note_denied_login(const session::RefusalRecord& record, bool by_server) {
  if (!has_listeners_) return;
  if (waiting_logins_.fetch_add(1) >= kMaxWaitingLogins) {
    waiting_logins_.fetch_sub(1);
    left_out_.fetch_add(1);
    return;
  }
  control_.post([this, record, by_server] { tell_login(record, by_server); });
}

void EventFeed::tell_login(const session::RefusalRecord& record, bool by_server) {
  hooks::Event event{"login_denied", login_json(record, by_server, left_out_.exchange(0))};
  announcer_.announce(std::move(event), listeners_, [this](const EventOutcome& told) {
    waiting_logins_.fetch_sub(1);
    log_problem("login_denied", told);
  });
}

void EventFeed::tell(std::string_view kind, std::string detail, Listeners listeners) {
  announcer_.announce({std::string(kind), std::move(detail)}, std::move(listeners),
                      [this, kind](const EventOutcome& told) { log_problem(kind, told); });
}

void EventFeed::log_problem(std::string_view kind, const EventOutcome& outcome) {
  if (outcome.problem.empty()) return;
  log_.write(base::LogLevel::error,
             "event " + std::string(kind) + " is not recorded: " + outcome.problem);
}

}  // namespace helios::app
