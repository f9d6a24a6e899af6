// SPDX-License-Identifier: Apache-2.0
#pragma once

// The helios.* settings of one session, as the server has them: PostgreSQL reports no custom
// setting, so they are followed through the statements that change them. Transactional like the
// server's own (PostgreSQL manual, SET): ROLLBACK undoes SET, COMMIT ends SET LOCAL, ROLLBACK TO goes
// back to the savepoint.
//
// Copyable: the statements of a message are judged on a copy that runs ahead of the server; the
// original changes only when the server has acknowledged a statement.

#include "config/identity_rule.hpp"
#include "sql/analysis.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::session {

// What settings and savepoints of a session may take together.
inline constexpr std::size_t kMaxSettingsBytes = 1 << 20;

// Of these two it is also followed whether anybody knows them.
using config::kAgentSetting;
using config::kTenantSetting;

class Settings {
 public:
  using Map = std::map<std::string, std::string, std::less<>>;

  // The values at session start, to which RESET returns.
  void start(const std::vector<std::pair<std::string, std::string>>& values);

  void apply(const sql::SettingChange& change);

  // Transaction control. begin() inside a transaction changes nothing.
  void begin();
  void commit();
  void rollback();
  void savepoint(std::string_view name);
  void release(std::string_view name);
  void rollback_to(std::string_view name);
  // An error: what the transaction, or its last savepoint, has changed is undone at once.
  void fail();
  // A statement that may end transactions by itself was run outside of a block, and succeeded: it may have committed, or
  // undone, what came before it in its pipeline, and ended what is LOCAL.
  void may_have_ended();
  // The same, and it failed: it may have committed what came
  // before, or what it changed itself (`changes`), and an error undoes the rest only.
  void may_have_committed(bool changes);
  [[nodiscard]] bool in_transaction() const { return before_.has_value(); }
  // The open transaction has changed something, which an error would undo.
  [[nodiscard]] bool has_uncommitted() const { return before_ && *before_ != now_; }
  [[nodiscard]] bool has_savepoints() const { return !savepoints_.empty(); }

  // A change happened whose effect on tenant and agent cannot be known.
  void set_tenant_unknown();
  // Likewise of a text that nobody read.
  void set_tenant_unread();
  // The server keeps something under a name that may change the tenant whenever it is run again.
  void store_change() { has_stored_change_ = true; }
  // The same in a cursor WITH HOLD: the COMMIT runs it.
  void store_until_commit() { is_stored_until_commit_ = true; }
  // Something that it keeps under a name was run.
  void recall_change();
  // A statement that nobody read was a RESET, or a ROLLBACK of whatever kind.
  void unseen_reset();
  void unseen_rollback();
  // Statements passed unread, so nothing is known, not even what a ROLLBACK would bring back.
  void set_all_unknown();
  // True until the tenant is set or reset to something known.
  [[nodiscard]] bool tenant_unknown() const;
  // A tenant was set in this session, or statements passed unread that may have.
  [[nodiscard]] bool uses_tenant() const { return uses_tenant_; }

  // The same of the agent.
  [[nodiscard]] bool agent_unknown() const;
  // Texts have passed that nobody read, because nobody was to be told a tenant then. What is unknown since may be for
  // no other reason.
  [[nodiscard]] bool is_unread() const { return is_unread_; }

  // The tenant in force; empty where there is none, or nobody knows. A view until the next change.
  [[nodiscard]] std::string_view tenant() const;
  [[nodiscard]] std::string_view agent() const;

  // The values in force. PostgreSQL leaves an empty string where a custom setting was reset, so empty
  // values are left out.
  [[nodiscard]] Map values() const;

  // About what it takes.
  [[nodiscard]] std::size_t held_bytes() const;

  // Grows with every change: equal revisions of one object have equal values.
  [[nodiscard]] std::uint64_t revision() const { return revision_; }

 private:
  // What `session` says of a setting is not what the server has; nor what `local` says of it, or does not say.
  struct Doubt {
    bool session = false;
    bool local = false;
    bool operator==(const Doubt&) const = default;
  };
  struct State {
    Map session;  // SET
    Map local;    // SET LOCAL, in front of `session` until the transaction ends
    Doubt tenant;
    Doubt agent;
    bool operator==(const State&) const = default;
  };
  // Drivers set the same savepoint before every statement and never release it: those cost nothing.
  struct Savepoint {
    std::string name;
    std::shared_ptr<const State> state;  // shared by savepoints between which nothing changed
    std::size_t nested = 1;              // so many of that name and state, one in the other
  };

  std::shared_ptr<const State> keep_now();
  static void doubt(State& state);
  void believe(const sql::SettingChange& change);
  [[nodiscard]] bool is_unknown(const Doubt& doubt, std::string_view name) const;
  [[nodiscard]] std::string_view value_of(std::string_view name) const;
  void reset(const std::string& name);
  void reset_all();
  std::vector<Savepoint>::iterator find_savepoint(std::string_view name);

  Map start_;
  State now_;
  std::optional<State> before_;  // as it was when the transaction began; set while inside one
  std::vector<Savepoint> savepoints_;
  std::shared_ptr<const State> kept_;  // now_ at kept_revision_; null = not kept
  std::uint64_t kept_revision_ = 0;
  bool is_doubtful_ = false;        // what the transaction changed so far may be committed
  bool has_stored_change_ = false;  // no ROLLBACK takes that back
  bool is_stored_until_commit_ = false;
  bool uses_tenant_ = false;  // nor that
  bool is_unread_ = false;    // nor that
  std::uint64_t revision_ = 0;

  // held_bytes() as it was at a revision and a number of savepoints.
  struct Held {
    std::uint64_t revision = UINT64_MAX;
    std::size_t savepoints = 0;
    bool in_transaction = false;
    std::size_t bytes = 0;
  };
  mutable Held held_;
};

}  // namespace helios::session
