// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who the session is, and the Context that its statements carry.

#include "hooks/statement_execution.hpp"
#include "pgwire/startup_packet.hpp"
#include "session/environment.hpp"
#include "session/settings.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace helios::session {

class Identity {
 public:
  explicit Identity(Peer peer) : peer_(std::move(peer)) {}

  // Takes user, database and application_name from the packet that opened the session.
  void start(const pgwire::StartupMessage& startup);
  void set_application_name(std::string_view name);

  [[nodiscard]] const std::string& user() const { return user_; }

  // The context under `settings`. The last one is kept: statements between which nothing changed
  // share it. `settings_are_ahead`: a copy that runs ahead of the session's own (never kept).
  [[nodiscard]] std::shared_ptr<const hooks::Context> context(const Settings& settings,
                                                              bool settings_are_ahead);

 private:
  [[nodiscard]] std::shared_ptr<const hooks::Context> make_context(const Settings& settings) const;

  Peer peer_;
  std::string user_;
  std::string database_;
  std::string application_name_;
  std::shared_ptr<const hooks::Context> kept_;  // null = make a new one
  std::uint64_t kept_revision_ = 0;             // of the settings it was made from
};

}  // namespace helios::session
