// SPDX-License-Identifier: Apache-2.0
#include "session/fixed_settings.hpp"

#include <algorithm>

namespace helios::session {

using Violation = FixedSettings::Violation;
using Kind = sql::SettingChange::Kind;

void FixedSettings::put(std::string_view name, std::optional<std::string> value) {
  const auto place = std::ranges::lower_bound(entries_, name, {}, &Entry::name);
  if (place != entries_.end() && place->name == name) {
    place->value = std::move(value);
  } else {
    entries_.insert(place, Entry{std::string(name), std::move(value)});
  }
}

void FixedSettings::fix(std::string_view name, std::string value) { put(name, std::move(value)); }

void FixedSettings::close(std::string_view name) { put(name, std::nullopt); }

const FixedSettings::Entry* FixedSettings::entry_of(std::string_view name) const {
  const auto found = std::ranges::find(entries_, name, &Entry::name);
  return found == entries_.end() ? nullptr : &*found;
}

const std::string* FixedSettings::find(std::string_view name) const {
  const Entry* entry = entry_of(name);
  return entry == nullptr || !entry->value ? nullptr : &*entry->value;
}

std::optional<Violation> FixedSettings::violation_of(const sql::Statement& statement) const {
  if (entries_.empty()) return std::nullopt;
  for (const sql::SettingChange& change : statement.settings) {
    if (auto violation = violation_of(change, statement)) return violation;
  }
  return std::nullopt;
}

std::optional<Violation> FixedSettings::violation_of(
    const std::vector<std::pair<std::string, std::string>>& settings) const {
  for (const auto& [name, value] : settings) {
    if (auto violation = violation_of_value(name, value)) return violation;
  }
  return std::nullopt;
}

// RESET and its like change what the server has, which is not what counts. What EXECUTE and FETCH recall was looked at when it
// was stored.
std::optional<Violation> FixedSettings::violation_of(const sql::SettingChange& change,
                                                     const sql::Statement& statement) const {
  switch (change.kind) {
    case Kind::set:
    case Kind::set_local: return violation_of_value(change.name, change.value);
    case Kind::bound: return violation_of_bound(*change.bound);
    case Kind::stored: return violation_of_stored(statement);
    case Kind::unknown: return Violation{};
    case Kind::reset:
    case Kind::reset_local_default:
    case Kind::reset_all:
    case Kind::discard_all:
    case Kind::recalled: return std::nullopt;
  }
  return Violation{};
}

std::optional<Violation> FixedSettings::violation_of_value(std::string_view name,
                                                           std::string_view value) const {
  const Entry* entry = entry_of(name);
  if (entry == nullptr || (entry->value && *entry->value == value)) return std::nullopt;
  return Violation{entry};
}

// The values of its parameters are not known here.
std::optional<Violation> FixedSettings::violation_of_bound(const sql::BoundArguments& bound) const {
  if (bound.parameters[0] != 0) return Violation{};
  if (!bound.name) return std::nullopt;  // the server refuses a null name
  const Entry* entry = entry_of(*bound.name);
  return entry == nullptr ? std::nullopt : std::optional(Violation{entry});
}

// The query that is stored is known by itself. Where that shows nothing, the whole knows more than its part.
std::optional<Violation> FixedSettings::violation_of_stored(const sql::Statement& statement) const {
  if (statement.query == nullptr || !statement.query->parsed) return Violation{};
  bool is_shown = false;
  for (const sql::Statement& stored : statement.query->statements) {
    if (auto violation = violation_of(stored)) return violation;
    is_shown |= !stored.settings.empty();
  }
  return is_shown ? std::nullopt : std::optional(Violation{});
}

}  // namespace helios::session
