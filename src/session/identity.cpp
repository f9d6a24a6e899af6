// SPDX-License-Identifier: Apache-2.0
#include "session/identity.hpp"

#include "pgwire/sqlstate.hpp"
#include "session/refusal_records.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace helios::session {
namespace {

// Settings that plugins also know under a short name.
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kShortNames = {{
    {kAgentSetting, "agent_id"},
    {"helios.model_id", "model_id"},
}};

constexpr std::string_view kSettingPrefix = "helios.";

// What plugins are told about the OS user at the other end of a Unix socket. A name that the system
// does not have is left out.
std::vector<std::pair<std::string, std::string>> os_user_attributes(
    const std::optional<OsUser>& os_user) {
  std::vector<std::pair<std::string, std::string>> attributes;
  if (!os_user) return attributes;
  if (!os_user->name.empty()) attributes.emplace_back("os_user", os_user->name);
  attributes.emplace_back("client_uid", std::to_string(os_user->uid));
  attributes.emplace_back("client_pid", std::to_string(os_user->pid));
  return attributes;
}

bool sets_tenant(const sql::SettingChange& change) {
  using Kind = sql::SettingChange::Kind;
  switch (change.kind) {
    case Kind::set:
    case Kind::set_local: return change.name == kTenantSetting;
    case Kind::unknown:
    case Kind::bound:
    case Kind::stored: return true;
    case Kind::reset:
    case Kind::reset_local_default:
    case Kind::reset_all:
    case Kind::discard_all:
    case Kind::recalled: return false;
  }
  return false;
}

}  // namespace

const config::TenantRule* Identity::start(const pgwire::StartupMessage& startup,
                                          const config::Tenant& rules) {
  user_ = startup.find("user").value_or("");
  // "The database to connect to. Defaults to the user name."
  database_ = startup.find("database").value_or("");
  if (database_.empty()) database_ = user_;
  application_name_ = startup.find("application_name").value_or("");
  may_set_tenant_ = may_set_tenant(rules, user_);
  kept_.reset();
  auto binding = bind_tenant(rules, user_, database_);
  if (!binding) return nullptr;
  (binding->is_pinned ? pinned_tenant_ : start_tenant_) = std::move(binding->tenant);
  return binding->rule;
}

void Identity::set_application_name(std::string_view name) {
  application_name_ = name;
  kept_.reset();
}

void Identity::set_known(const hooks::Identity& identity) {
  if (identity.tenant_id) pinned_tenant_ = identity.tenant_id;
  for (const std::string& role : identity.roles) roles_ += (roles_.empty() ? "" : ",") + role;
  kept_.reset();
}

hooks::AuthenticationRequest Identity::authentication_request() const {
  return {.session_id = peer_.session_id,
          .user = user_,
          .database = database_,
          .client_ip = peer_.ip,
          .attributes = os_user_attributes(peer_.os_user),
          .chain = nullptr};
}

void Identity::describe(RefusalRecord& out) const {
  out.user = user_;
  out.database = database_;
  out.tenant = pinned_tenant_.value_or("");
  out.client = peer_.ip;
  out.application_name = application_name_;
}

blocks::Names Identity::names(const Settings& settings) const {
  return {.user = user_,
          .database = database_,
          .tenant = pinned_tenant_ ? std::string_view(*pinned_tenant_) : settings.tenant(),
          .agent = settings.agent()};
}

std::optional<Refusal> Identity::objection_to_os_user(const config::Listen& rules) const {
  if (!rules.unix_socket_peer || !peer_.os_user) return std::nullopt;
  const std::string& name = peer_.os_user->name;
  if (!name.empty() && name == user_) return std::nullopt;
  const std::string who =
      name.empty() ? "uid " + std::to_string(peer_.os_user->uid) : "OS user \"" + name + "\"";
  return Refusal{std::string(pgwire::sqlstate::kInvalidAuthorization),
                 "peer authentication failed for user \"" + user_ + "\": " + who +
                     " may only log in under the same name ([listen] unix_socket_peer)",
                 0};
}

std::vector<std::pair<std::string, std::string>> Identity::start_settings(
    const pgwire::StartupMessage& startup) const {
  auto settings = pgwire::startup_settings(startup, kSettingPrefix);
  const bool names_tenant = std::ranges::any_of(
      settings, [](const auto& setting) { return setting.first == kTenantSetting; });
  if (start_tenant_ && !names_tenant) settings.emplace_back(kTenantSetting, *start_tenant_);
  return settings;
}

Refusal Identity::tenant_refusal() const {
  std::string message =
      pinned_tenant_ ? "the tenant of user \"" + user_ + "\" is fixed to \"" + *pinned_tenant_ +
                           "\" and cannot be changed"
                     : "user \"" + user_ + "\" may not set helios.tenant_id ([tenant] setters)";
  return {std::string(pgwire::sqlstate::kInsufficientPrivilege), std::move(message), 0};
}

Refusal Identity::objection_to_no_tenant() const {
  return {std::string(pgwire::sqlstate::kInsufficientPrivilege),
          may_set_tenant_
              ? "this session has no tenant, or nobody knows which ([tenant] required): SET "
                "helios.tenant_id to a constant first"
              : "user \"" + user_ + "\" has no tenant ([tenant] required), and may not set one: " +
                    "[[tenant.rules]] can bind it",
          0};
}

std::optional<Refusal> Identity::objection_to_startup(const pgwire::StartupMessage& startup) const {
  if (!restricts_tenant()) return std::nullopt;
  for (const auto& [name, value] : pgwire::startup_settings(startup, kTenantSetting)) {
    if (name == kTenantSetting && value != pinned_tenant_) return tenant_refusal();
  }
  return std::nullopt;
}

std::optional<Refusal> Identity::objection_to(const sql::Statement& statement) const {
  if (!restricts_tenant()) return std::nullopt;
  for (const sql::SettingChange& change : statement.settings) {
    if (sets_tenant(change) && change.value != pinned_tenant_) return tenant_refusal();
  }
  return std::nullopt;
}

std::shared_ptr<const hooks::Context> Identity::context(const Settings& settings,
                                                        bool settings_are_ahead) {
  if (settings_are_ahead) return make_context(settings);
  if (!kept_ || kept_revision_ != settings.revision()) {
    kept_ = make_context(settings);
    kept_revision_ = settings.revision();
  }
  return kept_;
}

std::shared_ptr<const hooks::Context> Identity::make_context(const Settings& settings) const {
  auto context = std::make_shared<hooks::Context>();
  context->session_id = peer_.session_id;
  context->user = user_;
  context->database = database_;
  context->client_ip = peer_.ip;
  Settings::Map values = settings.values();
  if (settings.tenant_unknown()) values.erase(std::string(kTenantSetting));  // never the old one
  if (pinned_tenant_) values[std::string(kTenantSetting)] = *pinned_tenant_;
  const auto add = [&context](std::string_view name, const std::string& value) {
    if (!value.empty()) context->attributes.emplace_back(name, value);
  };
  if (const auto tenant = values.find(kTenantSetting); tenant != values.end()) {
    context->tenant_id = tenant->second;
    add("tenant_id", tenant->second);
  }
  for (const auto& [setting, name] : kShortNames) {
    if (const auto found = values.find(setting); found != values.end()) add(name, found->second);
  }
  add("application_name", application_name_);
  add("client_ip", peer_.ip);
  for (const auto& [name, value] : os_user_attributes(peer_.os_user)) add(name, value);
  add("identity.roles", roles_);
  for (const auto& [name, value] : values) add(name, value);
  return context;
}

}  // namespace helios::session
