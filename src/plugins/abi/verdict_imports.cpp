// SPDX-License-Identifier: Apache-2.0

// What a hook decides, and says beside it. Nothing of it is in force before the attempt commits.

#include "base/text.hpp"
#include "plugins/abi/client_text.hpp"
#include "plugins/abi/host_calls.hpp"
#include "plugins/abi/host_codes.hpp"
#include "plugins/abi/host_function.hpp"
#include "plugins/abi/host_imports.hpp"
#include "plugins/abi/json_writer.hpp"
#include "plugins/abi/verdict_rules.hpp"

#include <algorithm>
#include <array>
#include <memory>

namespace helios::plugins {

namespace {

using hooks::HookPoint;
using Action = hooks::Verdict::Action;

// Of a value in an answer beside its bytes: empty values must cost something too.
constexpr std::uint64_t kValueOverheadBytes = 8;

// Where to put a verdict on the statement; null when there is none to give.
AttemptEffects* judging(HostCalls& calls) {
  const bool may = calls.scope().takes_verdicts && calls.is_at(HookPoint::pre_query);
  return may ? calls.effects() : nullptr;
}

std::optional<std::int32_t> block(HostCalls& calls, std::string_view reason,
                                  std::string_view sqlstate) {
  if (!calls.scope().takes_verdicts) return kInvalid;
  const std::string text = client_text(to_utf8(reason.substr(0, 2 * kMaxClientTextBytes)));
  if (calls.is_at(HookPoint::authenticate)) {
    hooks::AuthenticationVerdict& verdict = calls.effects()->authentication;
    verdict.action = hooks::AuthenticationVerdict::Action::denied;
    verdict.identity = {};
    verdict.message = text;
    return kOk;
  }
  AttemptEffects* const effects =
      calls.is_at(HookPoint::check_write) ? calls.effects() : judging(calls);
  if (effects == nullptr) return kInvalid;
  const bool is_state = is_error_state(sqlstate);
  effects->answer.reset();
  effects->verdict.action = Action::block;
  effects->verdict.text = text;
  effects->verdict.sqlstate = is_state ? sqlstate : "";
  return is_state || sqlstate.empty() ? kOk : kInvalid;
}

enum class Explanation : std::uint32_t { detail = 1, hint };

// Counts when the hook blocks or limits the answer, before or after this.
std::optional<std::int32_t> explain(HostCalls& calls, std::uint32_t part, std::string_view given) {
  if (!calls.scope().takes_verdicts) return kInvalid;
  const bool is_login = calls.is_at(HookPoint::authenticate);
  AttemptEffects* const effects = is_login ? calls.effects() : judging(calls);
  if (effects == nullptr) return kInvalid;
  if (part < 1 || part > static_cast<std::uint32_t>(Explanation::hint)) return kInvalid;
  const bool is_hint = part == static_cast<std::uint32_t>(Explanation::hint);
  std::string& text =
      is_login ? (is_hint ? effects->authentication.hint : effects->authentication.detail)
               : (is_hint ? effects->verdict.hint : effects->verdict.detail);
  text = client_text(to_utf8(given.substr(0, 2 * kMaxClientTextBytes)));
  return kOk;
}

std::optional<std::int32_t> rewrite(HostCalls& calls, std::string_view sql) {
  AttemptEffects* const effects = judging(calls);
  if (effects == nullptr) return kInvalid;
  if (sql.empty() || sql.contains('\0')) {
    calls.stop_bad_verdict("rewrote the statement to an empty text, or one with a NUL byte");
    return std::nullopt;
  }
  if (sql.size() > calls.scope().max_answer_bytes) {
    calls.stop_bad_verdict("rewrote the statement to " + std::to_string(sql.size()) +
                           " bytes; the limit is " +
                           std::to_string(calls.scope().max_answer_bytes));
    return std::nullopt;
  }
  effects->answer.reset();
  effects->verdict.action = Action::rewrite;
  effects->verdict.text = sql;
  return kOk;
}

// A negative number takes a limit back.
std::optional<std::uint64_t> limit_of(std::int64_t most) {
  if (most < 0) return std::nullopt;
  return static_cast<std::uint64_t>(most);
}

std::optional<std::int32_t> limit_rows(HostCalls& calls, std::int64_t most) {
  AttemptEffects* const effects = judging(calls);
  if (effects == nullptr) return kInvalid;
  effects->verdict.max_rows = limit_of(most);
  return kOk;
}

std::optional<std::int32_t> limit_bytes(HostCalls& calls, std::int64_t most) {
  AttemptEffects* const effects = judging(calls);
  if (effects == nullptr) return kInvalid;
  effects->verdict.max_bytes = limit_of(most);
  return kOk;
}

std::optional<std::int32_t> answer_begin(HostCalls& calls) {
  AttemptEffects* const effects = judging(calls);
  if (effects == nullptr) return kInvalid;
  effects->verdict.action = Action::answer;
  effects->answer.emplace();
  effects->answer_bytes = 0;
  return kOk;
}

// Counts what is added to an answer; false, with the attempt stopped, when it is too much.
bool admit(HostCalls& calls, AttemptEffects& effects, std::uint64_t bytes) {
  effects.answer_bytes += bytes + kValueOverheadBytes;
  if (effects.answer_bytes <= calls.scope().max_answer_bytes) return true;
  calls.stop_bad_verdict("answered more than " + std::to_string(calls.scope().max_answer_bytes) +
                         " bytes");
  return false;
}

std::optional<std::int32_t> answer_column(HostCalls& calls, std::string_view name,
                                          std::uint32_t type_oid) {
  AttemptEffects* const effects = judging(calls);
  if (effects == nullptr || !effects->answer || !effects->answer->rows.empty()) return kInvalid;
  if (type_oid == 0 || name.contains('\0')) return kInvalid;
  if (effects->answer->columns.size() >= kMaxAnswerColumns) {
    calls.stop_bad_verdict("answered more than " + std::to_string(kMaxAnswerColumns) + " columns");
    return std::nullopt;
  }
  if (!admit(calls, *effects, name.size())) return std::nullopt;
  effects->answer->columns.push_back({.name = std::string(name), .type_oid = type_oid});
  return kOk;
}

std::optional<std::int32_t> add_value(HostCalls& calls, std::optional<std::string_view> value) {
  AttemptEffects* const effects = judging(calls);
  if (effects == nullptr || !effects->answer || effects->answer->columns.empty()) return kInvalid;
  if (!admit(calls, *effects, value ? value->size() : 0)) return std::nullopt;
  hooks::Answer& answer = *effects->answer;
  if (answer.rows.empty() || answer.rows.back().size() == answer.columns.size())
    answer.rows.emplace_back();
  answer.rows.back().emplace_back(value);
  return kOk;
}

std::optional<std::int32_t> answer_value(HostCalls& calls, std::string_view value) {
  return add_value(calls, value);
}

std::optional<std::int32_t> answer_null(HostCalls& calls) { return add_value(calls, std::nullopt); }

enum class IdentityPart : std::uint32_t { user_id = 1, username, tenant, role };

std::optional<std::int32_t> identify(HostCalls& calls, std::uint32_t part, std::string_view text) {
  if (!calls.scope().takes_verdicts || !calls.is_at(HookPoint::authenticate)) return kInvalid;
  if (text.contains('\0')) return kInvalid;
  if (text.size() > kMaxIdentityBytes) return kLimit;
  if (part < 1 || part > static_cast<std::uint32_t>(IdentityPart::role)) return kInvalid;
  hooks::AuthenticationVerdict& verdict = calls.effects()->authentication;
  hooks::Identity& who = verdict.identity;
  switch (static_cast<IdentityPart>(part)) {
    case IdentityPart::user_id: who.user_id = text; break;
    case IdentityPart::username: who.username = text; break;
    case IdentityPart::tenant: who.tenant_id = text; break;
    case IdentityPart::role:
      if (who.roles.size() >= kMaxRoles) return kLimit;
      who.roles.emplace_back(text);
      break;
  }
  verdict.action = hooks::AuthenticationVerdict::Action::success;
  return kOk;
}

std::optional<std::int32_t> log(HostCalls& calls, std::uint32_t level, std::string_view line) {
  constexpr std::array kLevels{base::LogLevel::debug, base::LogLevel::info, base::LogLevel::warning,
                               base::LogLevel::error};
  if (level >= kLevels.size()) return kInvalid;
  AttemptEffects* const effects = calls.effects();
  if (effects == nullptr) return kOk;
  if (effects->log.size() >= kMaxLogLines) return kLimit;
  effects->log.push_back({kLevels[level], std::string(line.substr(0, kMaxLogBytes))});
  return kOk;
}

bool is_metric_name(std::string_view name) {
  constexpr std::size_t kMaxNameBytes = 64;
  return !name.empty() && name.size() <= kMaxNameBytes && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::optional<std::int32_t> metric_add(HostCalls& calls, std::string_view name,
                                       std::int64_t amount) {
  if (amount < 0 || !is_metric_name(name)) return kInvalid;
  AttemptEffects* const effects = calls.effects();
  if (effects == nullptr) return kOk;
  if (effects->metrics.size() >= kMaxMetricCalls) return kLimit;
  if (!calls.scope().metrics->knows_or_has_room_for(name)) return kLimit;
  effects->metrics.emplace_back(name, static_cast<std::uint64_t>(amount));
  return kOk;
}

}  // namespace

std::span<const HostFunction> verdict_imports() {
  static const std::array kFunctions{
      host_function<block>("env", "block"),
      host_function<explain>("env", "explain"),
      host_function<rewrite>("env", "rewrite"),
      host_function<limit_rows>("env", "limit_rows"),
      host_function<limit_bytes>("env", "limit_bytes"),
      host_function<answer_begin>("env", "answer_begin"),
      host_function<answer_column>("env", "answer_column"),
      host_function<answer_value>("env", "answer_value"),
      host_function<answer_null>("env", "answer_null"),
      host_function<identify>("env", "identify"),
      host_function<log>("env", "log"),
      host_function<metric_add>("env", "metric_add"),
  };
  return kFunctions;
}

}  // namespace helios::plugins
