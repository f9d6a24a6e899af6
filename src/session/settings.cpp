// SPDX-License-Identifier: Apache-2.0
#include "session/settings.hpp"

#include <algorithm>

namespace helios::session {

void Settings::start(const std::vector<std::pair<std::string, std::string>>& values) {
  for (const auto& [name, value] : values) start_[name] = value;
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
    case Kind::unknown: now_.tenant_unknown = true; return;
  }
  if (change.name == kTenantSetting) now_.tenant_unknown = false;
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

void Settings::reset_all() {
  now_.session = start_;
  now_.local.clear();
  now_.tenant_unknown = false;
}

void Settings::begin() {
  if (!before_) before_ = now_;
}

void Settings::commit() {
  before_.reset();
  savepoints_.clear();
  if (now_.local.empty()) return;
  now_.local.clear();
  ++revision_;
}

void Settings::rollback() {
  savepoints_.clear();
  if (!before_) return;
  now_ = std::move(*before_);
  before_.reset();
  ++revision_;
}

void Settings::savepoint(std::string_view name) {
  savepoints_.push_back({std::string(name), now_});
}

// Savepoints of one name may be nested: the newest counts.
std::vector<Settings::Savepoint>::iterator Settings::find_savepoint(std::string_view name) {
  const auto found =
      std::ranges::find(savepoints_.rbegin(), savepoints_.rend(), name, &Savepoint::name);
  return found == savepoints_.rend() ? savepoints_.end() : std::prev(found.base());
}

void Settings::release(std::string_view name) {
  savepoints_.erase(find_savepoint(name), savepoints_.end());
}

void Settings::rollback_to(std::string_view name) {
  const auto found = find_savepoint(name);
  if (found == savepoints_.end()) return;
  now_ = found->state;
  savepoints_.erase(std::next(found), savepoints_.end());
  ++revision_;
}

void Settings::set_tenant_unknown() {
  now_.tenant_unknown = true;
  ++revision_;
}

Settings::Map Settings::values() const {
  Map all = now_.local;
  all.insert(now_.session.begin(), now_.session.end());
  std::erase_if(all, [](const auto& entry) { return entry.second.empty(); });
  return all;
}

}  // namespace helios::session
