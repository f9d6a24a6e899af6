// SPDX-License-Identifier: Apache-2.0
#include "session/settings.hpp"

#include <algorithm>
#include <utility>

namespace helios::session {

void Settings::start(const std::vector<std::pair<std::string, std::string>>& values) {
  for (const auto& [name, value] : values) {
    start_[name] = value;
    uses_tenant_ |= name == kTenantSetting;
  }
  now_.session = start_;
  ++revision_;
}

void Settings::apply(const sql::SettingChange& change) {
  using Kind = sql::SettingChange::Kind;
  ++revision_;
  switch (change.kind) {
    case Kind::set:
      now_.session[change.name] = change.value;
      now_.local.erase(change.name);
      break;
    case Kind::set_local: now_.local[change.name] = change.value; break;
    case Kind::reset: reset(change.name); break;
    case Kind::reset_local_default: {
      const auto start = start_.find(change.name);
      now_.local[change.name] = start == start_.end() ? "" : start->second;
      break;
    }
    case Kind::reset_all:
    case Kind::discard_all: reset_all(); return;
    case Kind::unknown:
    case Kind::bound: set_tenant_unknown(); return;
    case Kind::stored: store_change(); return;
    case Kind::recalled: recall_change(); return;
  }
  believe(change);
}

// What it was set to, or reset to, is known.
void Settings::believe(const sql::SettingChange& change) {
  using Kind = sql::SettingChange::Kind;
  const bool is_tenant = change.name == kTenantSetting;
  if (!is_tenant && change.name != kAgentSetting) return;
  uses_tenant_ |= is_tenant;
  Doubt& doubt = is_tenant ? now_.tenant : now_.agent;
  doubt.local = false;
  const bool is_local = change.kind == Kind::set_local || change.kind == Kind::reset_local_default;
  if (!is_local) doubt.session = false;
}

void Settings::reset(const std::string& name) {
  now_.local.erase(name);
  const auto start = start_.find(name);
  if (start == start_.end()) {
    now_.session.erase(name);
  } else {
    now_.session[name] = start->second;
  }
}

// What SET LOCAL had put aside may come back with the transaction's end.
void Settings::reset_all() {
  const auto doubt_of = [this](const Doubt& before, std::string_view name) {
    const bool is_under_local = before.local || now_.local.contains(name);
    return Doubt{is_under_local, is_under_local};
  };
  now_.tenant = doubt_of(now_.tenant, kTenantSetting);
  now_.agent = doubt_of(now_.agent, kAgentSetting);
  now_.session = start_;
  now_.local.clear();
}

void Settings::begin() {
  if (!before_) before_ = now_;
}

void Settings::commit() {
  before_.reset();
  savepoints_.clear();
  is_doubtful_ = false;
  if (!now_.local.empty() || now_.tenant.local || now_.agent.local) {
    now_.local.clear();
    now_.tenant.local = false;
    now_.agent.local = false;
    ++revision_;
  }
  if (std::exchange(is_stored_until_commit_, false)) set_tenant_unknown();
}

void Settings::rollback() {
  savepoints_.clear();
  is_stored_until_commit_ = false;
  if (!before_) return;
  now_ = std::move(*before_);
  before_.reset();
  ++revision_;
  if (!std::exchange(is_doubtful_, false)) return;
  uses_tenant_ = true;
  set_tenant_unknown();
}

void Settings::fail() {
  if (!before_) return;
  now_ = savepoints_.empty() ? *before_ : *savepoints_.back().state;
  ++revision_;
}

void Settings::may_have_ended() {
  if (!before_ || *before_ == now_) return;
  is_doubtful_ = true;
  uses_tenant_ = true;
  set_tenant_unknown();
}

void Settings::may_have_committed(bool changes) {
  if (changes) begin();
  is_doubtful_ |= changes || (before_ && *before_ != now_);
}

std::shared_ptr<const Settings::State> Settings::keep_now() {
  if (!kept_ || kept_revision_ != revision_) {
    kept_ = std::make_shared<const State>(now_);
    kept_revision_ = revision_;
  }
  return kept_;
}

void Settings::savepoint(std::string_view name) {
  auto state = keep_now();
  if (!savepoints_.empty() && savepoints_.back().name == name &&
      savepoints_.back().state == state) {
    ++savepoints_.back().nested;
  } else {
    savepoints_.push_back({std::string(name), std::move(state)});
  }
}

// Savepoints of one name may be nested: the newest counts.
std::vector<Settings::Savepoint>::iterator Settings::find_savepoint(std::string_view name) {
  const auto found =
      std::ranges::find(savepoints_.rbegin(), savepoints_.rend(), name, &Savepoint::name);
  return found == savepoints_.rend() ? savepoints_.end() : std::prev(found.base());
}

void Settings::release(std::string_view name) {
  const auto found = find_savepoint(name);
  if (found == savepoints_.end()) return;
  savepoints_.erase(std::next(found), savepoints_.end());
  if (--savepoints_.back().nested == 0) savepoints_.pop_back();
}

void Settings::rollback_to(std::string_view name) {
  const auto found = find_savepoint(name);
  if (found == savepoints_.end()) return;
  now_ = *found->state;
  kept_ = found->state;
  kept_revision_ = ++revision_;
  savepoints_.erase(std::next(found), savepoints_.end());
}

void Settings::doubt(State& state) { state.tenant = state.agent = {true, true}; }

void Settings::set_tenant_unknown() {
  doubt(now_);
  ++revision_;
}

bool Settings::is_unknown(const Doubt& doubt, std::string_view name) const {
  return doubt.local || (doubt.session && !now_.local.contains(name));
}

bool Settings::tenant_unknown() const { return is_unknown(now_.tenant, kTenantSetting); }

bool Settings::agent_unknown() const { return is_unknown(now_.agent, kAgentSetting); }

void Settings::recall_change() {
  if (has_stored_change_) set_tenant_unknown();
}

void Settings::unseen_reset() {
  if (now_.session != start_ || !now_.local.empty()) set_tenant_unknown();
}

// It may have gone back to a savepoint that nobody saw, so what it undid is not known.
void Settings::unseen_rollback() {
  const bool may_differ = has_savepoints() || (before_ && *before_ != now_);
  rollback();
  if (may_differ) set_tenant_unknown();
}

void Settings::set_tenant_unread() {
  uses_tenant_ = true;
  is_unread_ = true;
  set_tenant_unknown();
}

void Settings::set_all_unknown() {
  set_tenant_unread();
  store_change();
  if (before_) doubt(*before_);
  for (Savepoint& savepoint : savepoints_) {
    auto state = std::make_shared<State>(*savepoint.state);
    doubt(*state);
    savepoint.state = std::move(state);
  }
}

std::size_t Settings::held_bytes() const {
  if (held_.revision == revision_ && held_.savepoints == savepoints_.size() &&
      held_.in_transaction == before_.has_value()) {
    return held_.bytes;
  }
  const auto size_of = [](const Map& map) {
    constexpr std::size_t kNodeBytes = 32;  // links and colour of a tree's node
    std::size_t bytes = 0;
    for (const auto& [name, value] : map) {
      bytes += kNodeBytes + 2 * sizeof(std::string) + name.size() + value.size();
    }
    return bytes;
  };
  std::size_t bytes = size_of(start_) + size_of(now_.session) + size_of(now_.local);
  if (before_) bytes += size_of(before_->session) + size_of(before_->local);
  const State* last = nullptr;
  for (const Savepoint& savepoint : savepoints_) {
    bytes += sizeof(Savepoint) + savepoint.name.size();
    if (savepoint.state.get() == last) continue;
    last = savepoint.state.get();
    bytes += sizeof(State) + size_of(last->session) + size_of(last->local);
  }
  held_ = {revision_, savepoints_.size(), before_.has_value(), bytes};
  return bytes;
}

std::string_view Settings::value_of(std::string_view name) const {
  for (const Map* values : {&now_.local, &now_.session}) {
    if (const auto found = values->find(name); found != values->end()) {
      return found->second;
    }
  }
  return {};
}

std::string_view Settings::tenant() const {
  return tenant_unknown() ? std::string_view() : value_of(kTenantSetting);
}

std::string_view Settings::agent() const {
  return agent_unknown() ? std::string_view() : value_of(kAgentSetting);
}

Settings::Map Settings::values() const {
  Map all = now_.local;
  all.insert(now_.session.begin(), now_.session.end());
  std::erase_if(all, [](const auto& entry) { return entry.second.empty(); });
  return all;
}

}  // namespace helios::session
