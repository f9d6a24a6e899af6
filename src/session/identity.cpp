// SPDX-License-Identifier: Apache-2.0
#include "session/identity.hpp"

#include "auth/address_range.hpp"
#include "pgwire/sqlstate.hpp"
#include "session/refusal_records.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace helios::session {
namespace {

using config::kRolesSetting;

// Settings that plugins also know under a short name.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kShortNames = {{
    {kTenantSetting, "tenant_id"},
    {kAgentSetting, "agent_id"},
    {config::kModelSetting, "model_id"},
}};

constexpr std::string_view kSettingPrefix = "helios.";

using Attributes = std::vector<std::pair<std::string, std::string>>;

// What plugins are told about the OS user at the other end of a Unix socket. A name that the system
// does not have is left out.
Attributes os_user_attributes(const std::optional<OsUser>& os_user) {
  Attributes attributes;
  if (!os_user) return attributes;
  if (!os_user->name.empty()) attributes.emplace_back("os_user", os_user->name);
  attributes.emplace_back("client_uid", std::to_string(os_user->uid));
  attributes.emplace_back("client_pid", std::to_string(os_user->pid));
  return attributes;
}

void add_short_names(const Settings::Map& values, Attributes& out) {
  for (const auto& [setting, name] : kShortNames) {
    const auto found = values.find(setting);
    if (found != values.end()) out.emplace_back(name, found->second);
  }
}

// "helios.agent_id, helios.team"
std::string names_of(const std::vector<FixedSettings::Entry>& entries) {
  std::string names;
  for (const FixedSettings::Entry& entry : entries) {
    names += (names.empty() ? "" : ", ") + entry.name;
  }
  return names;
}

}  // namespace

const config::IdentityRule* Identity::start(const pgwire::StartupMessage& startup,
                                            const config::Config& config) {
  user_ = startup.find("user").value_or("");
  // "The database to connect to. Defaults to the user name."
  database_ = startup.find("database").value_or("");
  if (database_.empty()) database_ = user_;
  application_name_ = startup.find("application_name").value_or("");
  kept_.reset();
  if (!may_set_tenant(config.tenant, user_)) fixed_.close(kTenantSetting);
  const std::string_view os_user = peer_.os_user ? peer_.os_user->name : std::string_view();
  auto match = match_rules(
      config.identity, {.user = user_, .database = database_, .ip = peer_.ip, .os_user = os_user});
  if (!match) return nullptr;
  if (!match->rule->pinned) {
    start_values_ = std::move(match->settings);
    return match->rule;
  }
  for (auto& [name, value] : match->settings) fixed_.fix(name, std::move(value));
  return match->rule;
}

std::string Identity::origin() const {
  if (peer_.os_user) return "uid " + std::to_string(peer_.os_user->uid);
  const auto address = auth::IpAddress::parse_client(peer_.ip);
  return address ? address->host() : peer_.ip;
}

void Identity::set_application_name(std::string_view name) {
  application_name_ = name;
  kept_.reset();
}

void Identity::set_known(const hooks::Identity& identity) {
  if (identity.tenant_id) fixed_.fix(kTenantSetting, *identity.tenant_id);
  std::string roles;
  for (const std::string& role : identity.roles) roles += (roles.empty() ? "" : ",") + role;
  if (!roles.empty()) fixed_.fix(kRolesSetting, std::move(roles));
  kept_.reset();
}

hooks::AuthenticationRequest Identity::authentication_request() const {
  Attributes attributes = os_user_attributes(peer_.os_user);
  Settings::Map values;
  put_fixed(values);
  add_short_names(values, attributes);
  if (const auto roles = values.find(kRolesSetting); roles != values.end())
    attributes.emplace_back("identity.roles", roles->second);
  attributes.insert(attributes.end(), values.begin(), values.end());
  return {.session_id = peer_.session_id,
          .user = user_,
          .database = database_,
          .client_ip = peer_.ip,
          .attributes = std::move(attributes),
          .chain = nullptr};
}

void Identity::describe(RefusalRecord& out) const {
  const std::string* tenant = fixed_.find(kTenantSetting);
  out.user = user_;
  out.database = database_;
  out.tenant = tenant == nullptr ? "" : *tenant;
  out.client = peer_.ip;
  out.application_name = application_name_;
}

blocks::Names Identity::names(const Settings& settings) const {
  const std::string* tenant = fixed_.find(kTenantSetting);
  const std::string* agent = fixed_.find(kAgentSetting);
  return {.user = user_,
          .database = database_,
          .tenant = tenant == nullptr ? settings.tenant() : std::string_view(*tenant),
          .agent = agent == nullptr ? settings.agent() : std::string_view(*agent)};
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
  for (const auto& [name, value] : start_values_) {
    const bool is_named = std::ranges::any_of(
        settings, [&name](const auto& setting) { return setting.first == name; });
    if (!is_named) settings.emplace_back(name, value);
  }
  return settings;
}

Refusal Identity::refusal_of(FixedSettings::Violation violation) const {
  const std::string who = "user \"" + user_ + "\"";
  const auto& entries = fixed_.entries();
  const bool is_all_closed = std::ranges::none_of(
      entries, [](const FixedSettings::Entry& entry) { return entry.value.has_value(); });
  std::string message;
  if (is_all_closed || (violation.entry != nullptr && !violation.entry->value)) {
    message = who + " may not set helios.tenant_id ([tenant] setters)";
  } else if (violation.entry == nullptr) {
    message = "this may change what is fixed for " + who + " (" + names_of(entries) +
              "), and the proxy cannot read whether it does: write names and values as constants";
  } else {
    message = violation.entry->name + " of " + who + " is fixed to \"" + *violation.entry->value +
              "\" and cannot be changed";
  }
  return {std::string(pgwire::sqlstate::kInsufficientPrivilege), std::move(message), 0};
}

Refusal Identity::objection_to_no_tenant() const {
  const std::string* fixed = fixed_.find(kTenantSetting);
  std::string message =
      "this session has no tenant, or nobody knows which ([tenant] required): SET "
      "helios.tenant_id to a constant first";
  if (fixed != nullptr) {
    message =
        "user \"" + user_ +
        "\" has no tenant ([tenant] required): what fills in the tenant of the rule that fits "
        "is empty";
  } else if (fixed_.is_closed(kTenantSetting)) {
    message = "user \"" + user_ + "\" has no tenant ([tenant] required), and may not set one: " +
              "[[identity.rules]] can bind it";
  }
  return {std::string(pgwire::sqlstate::kInsufficientPrivilege), std::move(message), 0};
}

std::optional<Refusal> Identity::objection_to_startup(const pgwire::StartupMessage& startup) const {
  if (fixed_.empty()) return std::nullopt;
  const auto violation = fixed_.violation_of(pgwire::startup_settings(startup, kSettingPrefix));
  return violation ? std::optional(refusal_of(*violation)) : std::nullopt;
}

std::optional<Refusal> Identity::objection_to(const sql::Statement& statement) const {
  const auto violation = fixed_.violation_of(statement);
  return violation ? std::optional(refusal_of(*violation)) : std::nullopt;
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
  if (settings.tenant_unknown()) values.clear();  // never the old ones
  put_fixed(values);
  const auto add = [&context](std::string_view name, std::string_view value) {
    if (!value.empty()) context->attributes.emplace_back(name, value);
  };
  if (const auto tenant = values.find(kTenantSetting); tenant != values.end())
    context->tenant_id = tenant->second;
  add_short_names(values, context->attributes);
  add("application_name", application_name_);
  add("client_ip", peer_.ip);
  for (const auto& [name, value] : os_user_attributes(peer_.os_user)) add(name, value);
  add("auth.method", auth_method_);
  if (peer_.encryption) {
    add("tls.version", peer_.encryption->version);
    add("tls.cipher", peer_.encryption->cipher);
    if (certificate() != nullptr) add("tls.client_subject", certificate()->distinguished_name);
  }
  if (const std::string* roles = fixed_.find(kRolesSetting)) add("identity.roles", *roles);
  for (const auto& [name, value] : values) add(name, value);
  return context;
}

// In front of what the client has set. Fixed to none: there is none.
void Identity::put_fixed(Settings::Map& values) const {
  for (const FixedSettings::Entry& entry : fixed_.entries()) {
    if (!entry.value) continue;
    if (entry.value->empty()) {
      values.erase(entry.name);
    } else {
      values[entry.name] = *entry.value;
    }
  }
}

}  // namespace helios::session
