// SPDX-License-Identifier: Apache-2.0

// What a hook can ask about the parameters of its statement.

#include "plugins/abi/hashing.hpp"
#include "plugins/abi/host_calls.hpp"
#include "plugins/abi/host_codes.hpp"
#include "plugins/abi/host_function.hpp"
#include "plugins/abi/host_imports.hpp"

#include <array>
#include <cstring>

namespace helios::plugins {

namespace {

using hooks::HookPoint;

const hooks::Parameter* find_parameter(const HostCalls& calls, std::uint32_t index) {
  const auto* const statement = calls.statement();
  if (statement == nullptr || calls.is_at(HookPoint::settled)) return nullptr;
  return index < statement->parameters.size() ? &statement->parameters[index] : nullptr;
}

std::optional<std::int32_t> parameter_kind(HostCalls& calls, std::uint32_t index,
                                           std::span<char, 12> out) {
  const auto* const parameter = find_parameter(calls, index);
  if (parameter == nullptr) return kMissing;
  const std::array<std::uint32_t, 3> kind{
      parameter->type_oid, parameter->is_binary ? 1U : 0U,
      parameter->value ? static_cast<std::uint32_t>(parameter->value->size()) : UINT32_MAX};
  std::memcpy(out.data(), kind.data(), sizeof(kind));
  return kOk;
}

// Calls `use(value)` with a parameter that is there and not NULL.
template <typename Use>
std::optional<std::int32_t> with_parameter(HostCalls& calls, std::uint32_t index, Use use) {
  const auto* const found = find_parameter(calls, index);
  if (found == nullptr) return kMissing;
  if (!found->value) return kUnmet;
  return use(std::string_view(*found->value));
}

std::optional<std::int32_t> parameter(HostCalls& calls, std::uint32_t index, std::span<char> out) {
  return with_parameter(calls, index,
                        [out](std::string_view value) { return copy_out(value, out); });
}

std::optional<std::int32_t> parameter_part(HostCalls& calls, std::uint32_t index,
                                           std::uint32_t from, std::span<char> out) {
  return with_parameter(calls, index,
                        [=](std::string_view value) { return copy_part(value, from, out); });
}

std::optional<std::int32_t> parameter_sha256_hex(HostCalls& calls, std::uint32_t index,
                                                 std::span<char, kSha256HexBytes> out) {
  return with_parameter(calls, index,
                        [&](std::string_view value) { return hash_to(calls, value, out); });
}

std::optional<std::int32_t> parameter_hmac_hex(HostCalls& calls, std::uint32_t index,
                                               std::span<char, kSha256HexBytes> out) {
  const HmacKey* const key = calls.scope().hmac_key;
  if (key == nullptr) return kMissing;
  return with_parameter(calls, index,
                        [&](std::string_view value) { return hmac_to(calls, *key, value, out); });
}

}  // namespace

std::span<const HostFunction> parameter_imports() {
  static const std::array kFunctions{
      host_function<parameter_kind>("env", "parameter_kind"),
      host_function<parameter>("env", "parameter"),
      host_function<parameter_part>("env", "parameter_part"),
      host_function<parameter_sha256_hex>("env", "parameter_sha256_hex"),
      host_function<parameter_hmac_hex>("env", "parameter_hmac_hex"),
  };
  return kFunctions;
}

}  // namespace helios::plugins
