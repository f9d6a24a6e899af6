// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who the session is, which tenant it is bound to, and the Context that its statements carry.

#include "blocks/block_list.hpp"
#include "config/config.hpp"
#include "hooks/authentication.hpp"
#include "hooks/statement_execution.hpp"
#include "pgwire/startup_packet.hpp"
#include "session/environment.hpp"
#include "session/refusal.hpp"
#include "session/settings.hpp"
#include "session/tenant_rules.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace helios::session {

struct RefusalRecord;

class Identity {
 public:
  explicit Identity(Peer peer) : peer_(std::move(peer)) {}

  // Takes user, database and application_name from the packet that opened the session, and the tenant
  // that `rules` bind them to. Returns the one of them that does; null: none fits.
  const config::TenantRule* start(const pgwire::StartupMessage& startup,
                                  const config::Tenant& rules);
  void set_application_name(std::string_view name);
  // An authenticate hook said who it is. Its tenant, if any, is pinned.
  void set_known(const hooks::Identity& identity);

  [[nodiscard]] const std::string& session_id() const { return peer_.session_id; }
  [[nodiscard]] const std::string& user() const { return user_; }
  [[nodiscard]] const std::string& database() const { return database_; }
  [[nodiscard]] hooks::AuthenticationRequest authentication_request() const;
  // By what it may be blocked, under these settings. Views of both, until the next change.
  [[nodiscard]] blocks::Names names(const Settings& settings) const;
  // Fills in who the client is, and the tenant where it is fixed.
  void describe(RefusalRecord& out) const;

  // Why the OS user at the other end of a Unix socket may not be `user()`; nullopt when he may, or
  // came by TCP.
  [[nodiscard]] std::optional<Refusal> objection_to_os_user(const config::Listen& rules) const;

  // The start values of the helios.* settings: the startup packet's, with the rules' tenant where it
  // names none.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> start_settings(
      const pgwire::StartupMessage& startup) const;

  // The tenant is fixed: settings do not matter, and cannot make it unknown.
  [[nodiscard]] bool has_pinned_tenant() const { return pinned_tenant_.has_value(); }

  // Why the startup packet, or a statement, may not set the tenant; nullopt when it may or does not.
  [[nodiscard]] std::optional<Refusal> objection_to_startup(
      const pgwire::StartupMessage& startup) const;
  [[nodiscard]] std::optional<Refusal> objection_to(const sql::Statement& statement) const;
  // Why what is not exempt (objections.hpp) does not run without a tenant ([tenant] required).
  [[nodiscard]] Refusal objection_to_no_tenant() const;
  // For a text that may set the tenant and is not read. Requires: restricts_tenant().
  [[nodiscard]] Refusal objection_to_hidden_change() const { return tenant_refusal(); }
  // Some statements could be objected to at all.
  [[nodiscard]] bool restricts_tenant() const { return pinned_tenant_ || !may_set_tenant_; }

  // `context` is the one under the session's own settings, which are `settings`: known without making it anew.
  [[nodiscard]] bool is_present(const hooks::Context& context, const Settings& settings) const {
    return kept_.get() == &context && kept_revision_ == settings.revision();
  }
  // The context under `settings`. The last one is kept: statements between which nothing changed
  // share it. `settings_are_ahead`: a copy that runs ahead of the session's own (never kept).
  [[nodiscard]] std::shared_ptr<const hooks::Context> context(const Settings& settings,
                                                              bool settings_are_ahead);

 private:
  [[nodiscard]] std::shared_ptr<const hooks::Context> make_context(const Settings& settings) const;
  [[nodiscard]] Refusal tenant_refusal() const;

  Peer peer_;
  std::string user_;
  std::string database_;
  std::string application_name_;
  std::optional<std::string> start_tenant_;   // of a rule that does not pin
  std::optional<std::string> pinned_tenant_;  // of a rule that pins, or of an authenticate hook
  bool may_set_tenant_ = true;
  std::string roles_;                           // comma list, from an authenticate hook
  std::shared_ptr<const hooks::Context> kept_;  // null = make a new one
  std::uint64_t kept_revision_ = 0;             // of the settings it was made from
};

}  // namespace helios::session
