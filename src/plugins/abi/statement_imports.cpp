// SPDX-License-Identifier: Apache-2.0

// What a hook can ask about its call. The numbers are those of abi/helios_abi2.h.

#include "hooks/request_id.hpp"
#include "plugins/abi/hashing.hpp"
#include "plugins/abi/host_calls.hpp"
#include "plugins/abi/host_codes.hpp"
#include "plugins/abi/host_function.hpp"
#include "plugins/abi/host_imports.hpp"
#include "plugins/abi/redaction.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace helios::plugins {

namespace {

using hooks::HookPoint;

enum class BytesField : std::uint32_t {
  text = 1,
  original_text,
  user,
  database,
  client_address,
  session_id,
  tenant,
  request_id,
  command_tag,
  sqlstate,
  error_message,
  execute_text,
  redacted_text,
  redacted_execute_text,
  redacted_error_message,
  write_key,
  write_value,
  event_kind,
  event_detail,
};
enum class NumberField : std::uint32_t {
  statement_id = 101,
  is_read_only,
  origin,
  parameter_count,
  outcome,
  rows,
  response_bytes,
  duration_ns,
  settlement,
  fingerprint,
  is_redacted,
  rewrites,
  manages_session,
};

// A field's value, or the code that says why there is none.
template <typename T>
struct Found {
  std::int32_t code = kMissing;
  T value = {};
};
template <typename T>
Found<T> found(T value) {
  return {.code = kOk, .value = value};
}
Found<std::string_view> unless_empty(std::string_view text) {
  if (text.empty()) return {};
  return found(text);
}

Found<std::string_view> find_attribute(
    const std::vector<std::pair<std::string, std::string>>& attributes, std::string_view name) {
  for (const auto& [key, value] : attributes)
    if (key == name) return found(std::string_view(value));
  return {};
}

using UuidBuffer = std::array<char, hooks::kUuidChars>;

Found<std::string_view> authentication_field(BytesField field,
                                             const hooks::AuthenticationRequest& request) {
  switch (field) {
    case BytesField::user: return found(std::string_view(request.user));
    case BytesField::database: return found(std::string_view(request.database));
    case BytesField::client_address: return unless_empty(request.client_ip);
    case BytesField::session_id: return found(std::string_view(request.session_id));
    case BytesField::tenant: return find_attribute(request.attributes, "tenant_id");
    case BytesField::text:
    case BytesField::original_text:
    case BytesField::request_id:
    case BytesField::command_tag:
    case BytesField::sqlstate:
    case BytesField::error_message:
    case BytesField::execute_text:
    case BytesField::redacted_text:
    case BytesField::redacted_execute_text:
    case BytesField::redacted_error_message:
    case BytesField::write_key:
    case BytesField::write_value:
    case BytesField::event_kind:
    case BytesField::event_detail: return {};
  }
  return {.code = kInvalid};
}

// Of a call that is about no statement, and has these two fields.
Found<std::string_view> field_of(BytesField field, BytesField first, std::string_view its_value,
                                 BytesField second, std::string_view its_value_too) {
  if (field == first) return found(its_value);
  if (field == second) return found(its_value_too);
  const bool is_field = field >= BytesField::text && field <= BytesField::event_detail;
  return {.code = is_field ? kMissing : kInvalid};
}

// Of a redacted one, that which secrets are to be taken out of. The text and the parameters belong to the message, which is gone by then.
Found<std::string_view> statement_field(BytesField field, const hooks::StatementExecution& it,
                                        HookPoint point, UuidBuffer& uuid) {
  const bool has_text = point != HookPoint::settled && it.origin != hooks::Origin::function_call;
  const bool has_ended = point != HookPoint::pre_query;
  switch (field) {
    case BytesField::text:
    case BytesField::redacted_text:
      return has_text ? found(it.current_text()) : Found<std::string_view>();
    case BytesField::original_text: return has_text ? found(it.text) : Found<std::string_view>();
    case BytesField::user: return found(std::string_view(it.context->user));
    case BytesField::database: return found(std::string_view(it.context->database));
    case BytesField::client_address: return unless_empty(it.context->client_ip);
    case BytesField::session_id: return found(std::string_view(it.context->session_id));
    case BytesField::tenant:
      if (!it.context->tenant_id) return {};
      return found(std::string_view(*it.context->tenant_id));
    case BytesField::request_id:
      uuid = hooks::request_id(it.context->session_id, it.id);
      return found(std::string_view(uuid.data(), uuid.size()));
    case BytesField::command_tag:
      return has_ended ? unless_empty(it.command_tag) : Found<std::string_view>();
    case BytesField::sqlstate:
      return has_ended ? unless_empty(it.sqlstate) : Found<std::string_view>();
    case BytesField::error_message:
    case BytesField::redacted_error_message:
      return has_ended ? unless_empty(it.error_message) : Found<std::string_view>();
    case BytesField::execute_text:
    case BytesField::redacted_execute_text:
      return has_text ? unless_empty(it.execute_text) : Found<std::string_view>();
    case BytesField::write_key:
    case BytesField::write_value:
    case BytesField::event_kind:
    case BytesField::event_detail: return {};
  }
  return {.code = kInvalid};
}

// A hook asks for something that settings say. False: nobody knows it, and the call ends.
bool may_tell_settings(HostCalls& calls) {
  const CallScope& scope = calls.scope();
  if (scope.looks_at_tenant != nullptr && !scope.looks_at_tenant->load(std::memory_order_relaxed))
    scope.looks_at_tenant->store(true, std::memory_order_relaxed);
  const auto* const statement = calls.statement();
  if (statement == nullptr || !statement->is_tenant_unknown) return true;
  calls.stop_bad_verdict(
      "it asked for the tenant, which is unknown: helios.tenant_id was changed in a way that the "
      "proxy cannot follow");
  return false;
}

bool comes_from_settings(std::string_view attribute) {
  return attribute == "tenant_id" || attribute == "agent_id" || attribute == "model_id" ||
         attribute.starts_with("helios.");
}

Found<std::string_view> bytes_field(HostCalls& calls, std::uint32_t field, UuidBuffer& uuid) {
  const auto which = static_cast<BytesField>(field);
  if (const auto* const statement = calls.statement())
    return statement_field(which, *statement, calls.scope().call->point, uuid);
  if (const auto* const request = calls.authentication())
    return authentication_field(which, *request);
  if (const auto* const write = calls.write())
    return field_of(which, BytesField::write_key, write->key, BytesField::write_value,
                    write->value);
  if (const auto* const event = calls.event())
    return field_of(which, BytesField::event_kind, event->kind, BytesField::event_detail,
                    event->detail);
  return {};
}

// `value`, which field `number` has, as it is shown. nullopt: the call is over.
std::optional<std::string_view> shown(HostCalls& calls, std::uint32_t number,
                                      std::string_view value, std::string& buffer) {
  const auto field = static_cast<BytesField>(number);
  if (field == BytesField::redacted_text) return redacted_text(calls, value);
  if (field == BytesField::redacted_execute_text) return redacted_execute_text(calls, value);
  if (field == BytesField::redacted_error_message) return redacted_message(calls, value, buffer);
  return value;
}

// Calls `use(value)` with a field that is there; otherwise says why not, or that the call is over.
template <typename Use>
std::optional<std::int32_t> with_field(HostCalls& calls, std::uint32_t number, Use use) {
  if (static_cast<BytesField>(number) == BytesField::tenant && !may_tell_settings(calls))
    return std::nullopt;
  UuidBuffer uuid;
  const auto value = bytes_field(calls, number, uuid);
  if (value.code != kOk) return value.code;
  std::string buffer;
  const auto what_is_shown = shown(calls, number, value.value, buffer);
  if (!what_is_shown) return std::nullopt;
  return use(*what_is_shown);
}

std::optional<std::int32_t> field(HostCalls& calls, std::uint32_t number, std::span<char> out) {
  return with_field(calls, number, [out](std::string_view value) { return copy_out(value, out); });
}

std::optional<std::int32_t> field_length(HostCalls& calls, std::uint32_t number) {
  return with_field(calls, number, [](std::string_view value) {
    return static_cast<std::int32_t>(std::min<std::size_t>(value.size(), INT32_MAX));
  });
}

std::optional<std::int32_t> field_part(HostCalls& calls, std::uint32_t number, std::uint32_t from,
                                       std::span<char> out) {
  return with_field(calls, number,
                    [=](std::string_view value) { return copy_part(value, from, out); });
}

std::optional<std::int32_t> field_sha256_hex(HostCalls& calls, std::uint32_t number,
                                             std::span<char, kSha256HexBytes> out) {
  return with_field(calls, number,
                    [&](std::string_view value) { return hash_to(calls, value, out); });
}

std::int64_t outcome_number(hooks::Outcome outcome) {
  switch (outcome) {
    case hooks::Outcome::executed: return 0;
    case hooks::Outcome::answered: return 1;
    case hooks::Outcome::failed: return 2;
    case hooks::Outcome::refused: return 3;
    case hooks::Outcome::skipped: return 4;
    case hooks::Outcome::lost: return 5;
    case hooks::Outcome::unknown: return 6;
  }
  return 6;
}

std::int64_t origin_number(hooks::Origin origin) {
  switch (origin) {
    case hooks::Origin::query: return 0;
    case hooks::Origin::execute: return 1;
    case hooks::Origin::function_call: return 2;
  }
  return 0;
}

std::int64_t settlement_number(hooks::Settlement settlement) {
  switch (settlement) {
    case hooks::Settlement::committed: return 0;
    case hooks::Settlement::rolled_back: return 1;
    case hooks::Settlement::unknown: return 2;
  }
  return 2;
}

// Of the client's text, so that it is the same wherever a plugin stands in the chain.
Found<std::int64_t> fingerprint(const hooks::StatementExecution& it, HookPoint point) {
  if (point == HookPoint::settled || it.origin == hooks::Origin::function_call) return {};
  if (it.fingerprint_of == nullptr) return {};
  const auto bits = it.fingerprint_of(it.text, it.standard_conforming_strings);
  return bits ? found(static_cast<std::int64_t>(*bits)) : Found<std::int64_t>();
}

Found<std::int64_t> number_field(NumberField field, const hooks::StatementExecution& it,
                                 HookPoint point) {
  using Number = Found<std::int64_t>;
  const auto if_ended = [point](std::int64_t value) {
    return point == HookPoint::pre_query ? Number() : found(value);
  };
  switch (field) {
    case NumberField::statement_id: return found(static_cast<std::int64_t>(it.id));
    case NumberField::is_read_only: return found<std::int64_t>(it.is_read_only ? 1 : 0);
    case NumberField::origin: return found(origin_number(it.origin));
    case NumberField::parameter_count:
      if (point == HookPoint::settled || !it.are_parameters_known) return {};
      return found(static_cast<std::int64_t>(it.parameters.size()));
    case NumberField::outcome: return if_ended(outcome_number(it.outcome));
    case NumberField::rows:
      return it.rows ? if_ended(static_cast<std::int64_t>(*it.rows)) : Number();
    case NumberField::response_bytes: return if_ended(static_cast<std::int64_t>(it.response_bytes));
    case NumberField::duration_ns: return if_ended(it.duration_ns);
    case NumberField::settlement:
      if (point == HookPoint::settled)
        return found(settlement_number(it.settlement.value_or(hooks::Settlement::unknown)));
      return it.settlement ? if_ended(settlement_number(*it.settlement)) : Number();
    case NumberField::fingerprint: return fingerprint(it, point);
    case NumberField::is_redacted: return {};  // is_redacted() says
    case NumberField::rewrites: return found<std::int64_t>(it.rewrites);
    case NumberField::manages_session: return found<std::int64_t>(it.manages_session ? 1 : 0);
  }
  return {.code = kInvalid};
}

// Is anything hidden of the statement's texts? 0 or 1, or the code that says why there is no answer; nullopt: the call is over.
std::optional<Found<std::int64_t>> is_redacted(HostCalls& calls) {
  bool is_any = false;
  for (const BytesField field : {BytesField::redacted_text, BytesField::redacted_execute_text}) {
    UuidBuffer uuid;
    const auto plain = bytes_field(calls, static_cast<std::uint32_t>(field), uuid);
    if (plain.code != kOk && field == BytesField::redacted_text)
      return Found<std::int64_t>{.code = plain.code};
    if (plain.code != kOk) continue;
    std::string buffer;
    const auto left = shown(calls, static_cast<std::uint32_t>(field), plain.value, buffer);
    if (!left) return std::nullopt;
    is_any |= left->data() != plain.value.data();
  }
  return found<std::int64_t>(is_any ? 1 : 0);
}

std::optional<std::int32_t> field_number(HostCalls& calls, std::uint32_t number,
                                         std::span<char, 8> out) {
  const auto* const statement = calls.statement();
  if (statement == nullptr) return kMissing;
  auto value =
      number_field(static_cast<NumberField>(number), *statement, calls.scope().call->point);
  if (static_cast<NumberField>(number) == NumberField::is_redacted) {
    const auto answer = is_redacted(calls);
    if (!answer) return std::nullopt;
    value = *answer;
  }
  if (value.code == kOk) std::memcpy(out.data(), &value.value, sizeof(value.value));
  return value.code;
}

std::optional<std::int32_t> attribute(HostCalls& calls, std::string_view name,
                                      std::span<char> out) {
  if (calls.scope().call == nullptr) return kMissing;
  constexpr std::string_view kConfig = "config.";
  if (name.starts_with(kConfig)) {
    for (const auto& [key, value] : *calls.scope().config)
      if (key == name.substr(kConfig.size())) return copy_out(value, out);
    return kMissing;
  }
  const auto* const statement = calls.statement();
  if (statement == nullptr && calls.authentication() == nullptr) return kMissing;
  if (comes_from_settings(name) && !may_tell_settings(calls)) return std::nullopt;
  const auto& attributes =
      statement != nullptr ? statement->context->attributes : calls.authentication()->attributes;
  const auto value = find_attribute(attributes, name);
  return value.code == kOk ? copy_out(value.value, out) : value.code;
}

std::optional<std::int32_t> scratch_set(HostCalls& calls, std::string_view bytes) {
  if (!calls.is_at(HookPoint::pre_query)) return kInvalid;
  if (bytes.size() > hooks::kScratchBytes) return kLimit;
  AttemptEffects& effects = *calls.effects();
  std::ranges::copy(bytes, effects.scratch.begin());
  effects.scratch_size = bytes.size();
  return kOk;
}

std::optional<std::int32_t> scratch_get(HostCalls& calls, std::span<char> out) {
  const auto* const statement = calls.statement();
  if (statement == nullptr) return 0;
  const AttemptEffects& effects = *calls.scope().effects;
  if (effects.any && effects.scratch_size)
    return copy_out({effects.scratch.data(), *effects.scratch_size}, out);
  const std::size_t slot = calls.scope().call->slot;
  if (slot >= statement->plugins.size()) return 0;
  const std::vector<char>& kept = statement->plugins[slot].scratch;
  return copy_out({kept.data(), kept.size()}, out);
}

std::optional<std::int32_t> skip_settled(HostCalls& calls) {
  if (!calls.is_at(HookPoint::post_query)) return kInvalid;
  if (!calls.statement()->settlement) return kUnmet;
  calls.effects()->skips_settled = true;
  return kOk;
}

}  // namespace

std::span<const HostFunction> statement_imports() {
  static const std::array kFunctions{
      host_function<field>("env", "field"),
      host_function<field_length>("env", "field_length"),
      host_function<field_part>("env", "field_part"),
      host_function<field_sha256_hex>("env", "field_sha256_hex"),
      host_function<field_number>("env", "field_number"),
      host_function<attribute>("env", "attribute"),
      host_function<scratch_set>("env", "scratch_set"),
      host_function<scratch_get>("env", "scratch_get"),
      host_function<skip_settled>("env", "skip_settled"),
  };
  return kFunctions;
}

}  // namespace helios::plugins
