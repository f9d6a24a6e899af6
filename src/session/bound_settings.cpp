// SPDX-License-Identifier: Apache-2.0
#include "session/bound_settings.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace helios::session {
namespace {

using sql::BoundArguments;
using sql::SettingChange;
using Kind = SettingChange::Kind;
using Parameters = std::span<const hooks::Parameter>;

// pg_type.oid
constexpr std::uint32_t kUnspecified = 0;
constexpr std::uint32_t kBool = 16;
constexpr std::uint32_t kText = 25;
constexpr std::uint32_t kUnknown = 705;
constexpr std::uint32_t kVarchar = 1043;

const hooks::Parameter* find(Parameters parameters, int number) {
  const auto index = static_cast<std::size_t>(number - 1);
  return index < parameters.size() ? &parameters[index] : nullptr;
}

// The outer optional: it can be told at all. The inner: it is not the null value.
using Text = std::optional<std::optional<std::string>>;

Text read_text(Parameters parameters, int number, const std::optional<std::string>& constant) {
  if (number == 0) return constant;
  const hooks::Parameter* parameter = find(parameters, number);
  if (parameter == nullptr) return std::nullopt;
  const std::uint32_t type = parameter->type_oid;
  const bool is_text =
      type == kUnspecified || type == kText || type == kUnknown || type == kVarchar;
  if (!is_text) return std::nullopt;
  if (!parameter->value) return Text(std::in_place, std::nullopt);
  return Text(std::in_place, std::string(*parameter->value));
}

// As the server's boolin() reads the usual spellings; what it would refuse, or who knows, is nullopt.
std::optional<bool> parse_boolean(std::string_view text) {
  const std::string word = base::to_lower(text);
  constexpr std::string_view kTrue[] = {"t", "true", "1", "on", "yes", "y"};
  constexpr std::string_view kFalse[] = {"f", "false", "0", "off", "no", "n"};
  if (std::ranges::find(kTrue, word) != std::end(kTrue)) return true;
  if (std::ranges::find(kFalse, word) != std::end(kFalse)) return false;
  return std::nullopt;
}

std::optional<bool> read_boolean(Parameters parameters, int number, bool constant) {
  if (number == 0) return constant;
  const hooks::Parameter* parameter = find(parameters, number);
  if (parameter == nullptr) return std::nullopt;
  if (parameter->type_oid != kUnspecified && parameter->type_oid != kBool) return std::nullopt;
  if (!parameter->value) return false;  // as set_config() takes the null value
  if (!parameter->is_binary) return parse_boolean(*parameter->value);
  if (parameter->value->size() != 1) return std::nullopt;
  return parameter->value->front() != '\0';
}

// nullopt: it changes nothing that is followed.
std::optional<SettingChange> resolve(const BoundArguments& bound, Parameters parameters) {
  const Text name = read_text(parameters, bound.parameters[0], bound.name);
  if (!name) return SettingChange{.kind = Kind::unknown, .name = {}, .value = {}};
  if (!*name) return std::nullopt;  // the server refuses a null name
  const std::string setting = base::to_lower(**name);
  if (!setting.starts_with("helios.")) return std::nullopt;
  const Text value = read_text(parameters, bound.parameters[1], bound.value);
  const std::optional<bool> is_local =
      read_boolean(parameters, bound.parameters[2], bound.is_local);
  if (!value || !is_local) return SettingChange{.kind = Kind::unknown, .name = {}, .value = {}};
  if (!*value) {
    return SettingChange{
        .kind = *is_local ? Kind::reset_local_default : Kind::reset, .name = setting, .value = {}};
  }
  return SettingChange{
      .kind = *is_local ? Kind::set_local : Kind::set, .name = setting, .value = **value};
}

}  // namespace

std::optional<sql::Statement> resolve_bound_settings(const sql::Statement& statement,
                                                     Parameters parameters) {
  const auto is_bound = [](const SettingChange& change) { return change.kind == Kind::bound; };
  if (std::ranges::none_of(statement.settings, is_bound)) return std::nullopt;
  sql::Statement resolved = statement;
  resolved.settings.clear();
  for (const SettingChange& change : statement.settings) {
    if (!is_bound(change)) {
      resolved.settings.push_back(change);
    } else if (auto known = resolve(*change.bound, parameters)) {
      resolved.settings.push_back(std::move(*known));
    }
  }
  return resolved;
}

}  // namespace helios::session
