// SPDX-License-Identifier: Apache-2.0
#include "plugins/abi/abi1_authentication.hpp"

#include "base/text.hpp"
#include "plugins/abi/client_text.hpp"
#include "plugins/abi/verdict_rules.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <optional>
#include <string>

namespace helios::plugins {

namespace {

namespace json = boost::json;
using hooks::AuthenticationVerdict;

constexpr std::size_t kMaxDepth = 8;

std::unexpected<base::Error> invalid(std::string message) {
  return base::fail(base::Errc::invalid, std::move(message));
}

std::optional<std::string> text_in(const json::object& object, std::string_view field) {
  const json::value* const value = object.if_contains(field);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string(value->get_string());
}

// Identities live as long as their sessions and travel into the input of every hook.
bool is_fit(std::string_view text) {
  return text.size() <= kMaxIdentityBytes && text.find('\0') == std::string_view::npos;
}

base::Result<void> read_roles(const json::object& identity, std::vector<std::string>& out) {
  const json::value* const roles = identity.if_contains("roles");
  if (roles == nullptr || !roles->is_array()) return {};
  if (roles->get_array().size() > kMaxRoles)
    return invalid("more than " + std::to_string(kMaxRoles) + " roles");
  for (const json::value& role : roles->get_array()) {
    if (!role.is_string()) return invalid("a role that is not text");
    out.emplace_back(role.get_string());
    if (!is_fit(out.back())) return invalid("a role that is too long or contains a NUL byte");
  }
  return {};
}

base::Result<AuthenticationVerdict> success(const json::object& object) {
  const json::value* const value = object.if_contains("identity");
  const json::object* const identity = value == nullptr ? nullptr : value->if_object();
  if (identity == nullptr) return invalid("\"success\" without an identity");
  AuthenticationVerdict verdict;
  verdict.action = AuthenticationVerdict::Action::success;
  hooks::Identity& who = verdict.identity;
  who.user_id = text_in(*identity, "user_id").value_or("");
  who.username = text_in(*identity, "username").value_or("");
  who.tenant_id = text_in(*identity, "tenant_id");
  if (!is_fit(who.user_id) || !is_fit(who.username) || !is_fit(who.tenant_id.value_or("")))
    return invalid("an identity that is too long or contains a NUL byte");
  if (auto read = read_roles(*identity, who.roles); !read) return std::unexpected(read.error());
  return verdict;
}

}  // namespace

base::Result<AuthenticationVerdict> abi1_authentication(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::error_code error;
  const json::value value = json::parse(text, error, {}, options);
  if (error || !value.is_object()) return invalid("not a JSON object");
  const json::object& object = value.get_object();
  const auto action = text_in(object, "action");
  if (!action) return invalid("no \"action\" says what to do");
  if (*action == "defer") return AuthenticationVerdict{};
  if (*action == "success") return success(object);
  if (*action != "denied")
    return invalid("unknown action \"" + base::escape_for_log(*action, 40) + "\"");
  AuthenticationVerdict verdict;
  verdict.action = AuthenticationVerdict::Action::denied;
  verdict.message = client_text(text_in(object, "message").value_or("no reason given"));
  verdict.detail = client_text(text_in(object, "detail").value_or(""));
  verdict.hint = client_text(text_in(object, "hint").value_or(""));
  return verdict;
}

}  // namespace helios::plugins
