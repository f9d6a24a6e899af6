// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who the session is, as one thing: user and database of its login, where it comes from, and what the configuration and
// authenticate hooks say about it (tenant, agent, model, roles, any other helios.* setting). And the Context that its
// statements carry, which is that together with what the client has set.
//
// Of each setting the first that applies counts: what a hook says, what the rule says that fits the client, what the client
// has set. The first two are fixed: see fixed_settings.hpp. All of it is decided at the login and stays so to the end of the
// session, whatever is reloaded meanwhile.
//
// Thread rule: the session's.

#include "blocks/block_list.hpp"
#include "config/config.hpp"
#include "hooks/authentication.hpp"
#include "hooks/statement_execution.hpp"
#include "pgwire/startup_packet.hpp"
#include "session/environment.hpp"
#include "session/fixed_settings.hpp"
#include "session/identity_rules.hpp"
#include "session/refusal.hpp"
#include "session/settings.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::session {

struct RefusalRecord;

class Identity {
 public:
  explicit Identity(Peer peer) : peer_(std::move(peer)) {}

  // Takes user, database and application_name from the packet that opened the session, and applies the rules of `config`.
  // Returns the one that fits; null: none does. To be called once.
  const config::IdentityRule* start(const pgwire::StartupMessage& startup,
                                    const config::Config& config);
  void set_application_name(std::string_view name);
  // Somebody who is believed has passed the connection on: the client is there.
  void set_client_ip(std::string ip) {
    peer_.ip = std::move(ip);
    peer_.os_user.reset();
  }
  void set_encryption(Encryption encryption) { peer_.encryption = std::move(encryption); }
  // By which method of the host rules he was let in.
  void set_auth_method(std::string_view method) { auth_method_ = method; }
  // An authenticate hook said who it is. Its tenant and its roles, if any, are fixed from now on, whatever a rule says.
  void set_known(const hooks::Identity& identity);

  [[nodiscard]] const std::string& session_id() const { return peer_.session_id; }
  [[nodiscard]] const std::string& client_ip() const { return peer_.ip; }
  // Where it comes from, as a key for counting: its address (of IPv6, the /64 around it), or the OS user on the Unix socket.
  [[nodiscard]] std::string origin() const;
  // Empty: it came by TCP, or has no name.
  [[nodiscard]] std::string os_user_name() const {
    return peer_.os_user ? peer_.os_user->name : std::string();
  }
  [[nodiscard]] std::string channel_binding() const {
    return peer_.encryption ? peer_.encryption->channel_binding : std::string();
  }
  // Null: he has shown none.
  [[nodiscard]] const ClientCertificate* certificate() const {
    return peer_.encryption && peer_.encryption->certificate ? &*peer_.encryption->certificate
                                                             : nullptr;
  }
  [[nodiscard]] bool came_by_unix_socket() const { return peer_.os_user.has_value(); }
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

  // The start values of the helios.* settings: the startup packet's, and those of a rule that fixes nothing where the
  // packet names none.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> start_settings(
      const pgwire::StartupMessage& startup) const;

  // Settings do not matter for these, and cannot make them unknown.
  [[nodiscard]] bool has_fixed_tenant() const { return is_fixed(config::kTenantSetting); }
  [[nodiscard]] bool has_fixed_agent() const { return is_fixed(config::kAgentSetting); }

  // Why the startup packet, or a statement, may not set what it sets; nullopt when it may, or sets nothing.
  [[nodiscard]] std::optional<Refusal> objection_to_startup(
      const pgwire::StartupMessage& startup) const;
  [[nodiscard]] std::optional<Refusal> objection_to(const sql::Statement& statement) const;
  // Why what is not exempt (objections.hpp) does not run without a tenant ([tenant] required).
  [[nodiscard]] Refusal objection_to_no_tenant() const;
  // For a text that may set something and is not read. Requires: restricts_settings().
  [[nodiscard]] Refusal objection_to_hidden_change() const { return refusal_of({}); }
  // Some statements could be objected to at all.
  [[nodiscard]] bool restricts_settings() const { return !fixed_.empty(); }

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
  [[nodiscard]] Refusal refusal_of(FixedSettings::Violation violation) const;
  [[nodiscard]] bool is_fixed(std::string_view name) const { return fixed_.find(name) != nullptr; }
  void put_fixed(Settings::Map& values) const;

  Peer peer_;
  std::string_view auth_method_;  // of the program text; empty: the server authenticates
  std::string user_;
  std::string database_;
  std::string application_name_;
  FixedSettings fixed_;
  std::vector<std::pair<std::string, std::string>> start_values_;  // of a rule that does not pin
  std::shared_ptr<const hooks::Context> kept_;                     // null = make a new one
  std::uint64_t kept_revision_ = 0;  // of the settings it was made from
};

}  // namespace helios::session
