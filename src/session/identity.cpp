// SPDX-License-Identifier: Apache-2.0
#include "session/identity.hpp"

#include <array>
#include <utility>

namespace helios::session {
namespace {

// Settings that plugins also know under a short name.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kShortNames = {{
    {kTenantSetting, "tenant_id"},
    {"helios.agent_id", "agent_id"},
    {"helios.model_id", "model_id"},
}};

}  // namespace

void Identity::start(const pgwire::StartupMessage& startup) {
  user_ = startup.find("user").value_or("");
  // "The database to connect to. Defaults to the user name."
  database_ = startup.find("database").value_or("");
  if (database_.empty()) database_ = user_;
  application_name_ = startup.find("application_name").value_or("");
  kept_.reset();
}

void Identity::set_application_name(std::string_view name) {
  application_name_ = name;
  kept_.reset();
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
  for (const auto& [setting, name] : kShortNames) {
    const auto found = values.find(setting);
    if (found != values.end()) context->attributes.emplace_back(name, found->second);
  }
  const auto tenant = values.find(kTenantSetting);
  if (tenant != values.end()) context->tenant_id = tenant->second;
  if (!application_name_.empty()) {
    context->attributes.emplace_back("application_name", application_name_);
  }
  if (!peer_.ip.empty()) context->attributes.emplace_back("client_ip", peer_.ip);
  for (const auto& [name, value] : values) context->attributes.emplace_back(name, value);
  return context;
}

}  // namespace helios::session
