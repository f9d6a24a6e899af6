// SPDX-License-Identifier: Apache-2.0
#pragma once

// The plugins that are in force together, in their order, and how their answers are merged:
// block and answer end the chain; a rewrite hands the new text to the plugins after it; of limits on the
// answer the smallest of each kind holds; the first
// identity or denial settles authentication; a failure is treated as the plugin's on_error says.
//
// A Chain is one immutable version of the plugin set. Reloading makes a new one; statements keep the
// one they started with.

#include "hooks/plugin.hpp"

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace helios::hooks {

class Chain {
 public:
  // Sorts: those that are first, then by order, then by name.
  explicit Chain(std::vector<std::shared_ptr<Plugin>> plugins);

  [[nodiscard]] const std::vector<std::shared_ptr<Plugin>>& plugins() const { return plugins_; }

  // True when a statement has to be looked at at all: some plugin has pre_query, post_query or
  // settled.
  [[nodiscard]] bool has_hooks() const { return has_hooks_; }
  // True when some plugin wants statements that only manage the session too.
  [[nodiscard]] bool wants_all_statements() const { return wants_all_statements_; }
  // True when some plugin is to be told how the transactions of its statements ended.
  [[nodiscard]] bool has_settled() const { return has_settled_; }
  [[nodiscard]] bool has_authenticate() const { return has_authenticate_; }
  // True when some plugin is known to ask for the tenant, or cannot be known not to.
  [[nodiscard]] bool looks_at_tenant() const;
  // True when some plugin could refuse a statement: it has pre_query.
  [[nodiscard]] bool may_deny() const { return may_deny_; }

 private:
  std::vector<std::shared_ptr<Plugin>> plugins_;
  bool has_hooks_ = false;
  bool has_authenticate_ = false;
  bool has_settled_ = false;
  bool wants_all_statements_ = false;
  bool may_deny_ = false;
};

// What a refusal came from.
enum class DecidedBy {
  rule,      // of the proxy
  verdict,   // of a plugin
  on_error,  // a plugin failed, and says "deny"
  login,     // a plugin, or a rule, that does not let a client in
  cap,       // a limit on the answer, of a plugin: the statement ran, and its answer was cut
};

// "rule", "verdict", "on_error", "login", "cap".
[[nodiscard]] std::string_view to_word(DecidedBy decided_by);

// What the chain as a whole decided about one statement.
struct ChainResult {
  bool refused = false;
  std::string sqlstate;  // refused
  std::string message;   // refused: the reason, for the client
  // refused: who, and what the client is told beside the reason; empty = nothing.
  DecidedBy decided_by = DecidedBy::verdict;
  std::string plugin;
  std::string detail;
  std::string hint;
  std::string fault;  // on_error: what the plugin failed with
  // post_query and settled only: a plugin with on_error = deny failed; the session must end.
  bool fatal = false;
  // authenticate only: a plugin said who the client is.
  std::optional<Identity> identity;

  // Back to one that decided nothing; cheap when it is that already.
  void reset() {
    if (refused || fatal || identity) *this = {};
  }
};

// Runs one hook point of all plugins of one statement, one after the other.
//
// Flow: 1 start(); done: result() is valid. pending: `on_progress` is called on the home executor
// later, once, when result() became valid. 2 start() again for the next statement.
//
// authenticate: calls each plugin in order until one does not defer.
// pre_query: calls each plugin in order until one blocks or answers. Marks what statement.plugins[i] is owed.
// post_query: calls every plugin that is owed one: those marked by pre_query, and those that have no
// pre_query. All are called even when one fails.
// settled: the same, once statement.settlement is known, after post_query.
//
// A plugin that throws (see base/faults.hpp) ends pre_query and authenticate; the others still get their post_query
// and settled. result() tells it.
//
// Thread rule: belongs to the home executor's thread. Lifetime: must not be destroyed while pending.
class ChainRun {
 public:
  ChainRun(base::Executor& home, std::function<void()> on_progress);
  ChainRun(const ChainRun&) = delete;
  ChainRun& operator=(const ChainRun&) = delete;

  // Requires: not pending; `statement` stays alive until done; statement.chain is set.
  // `is_session_statement`: the statement only manages the session, so only plugins with
  // all_statements see it.
  RunStatus start(HookPoint point, StatementExecution& statement, bool is_session_statement);

  // Requires: not pending; `request` stays alive until done; request.chain is set.
  RunStatus authenticate(const AuthenticationRequest& request);

  [[nodiscard]] bool pending() const { return pending_; }
  // Requires: pending, at pre_query. Nobody is interested in the result any more: the plugin that runs is asked to end,
  // and none runs after it. Progress is made as ever.
  void cancel();
  // Throws what a plugin has thrown, once; the first of them.
  [[nodiscard]] const ChainResult& result();
  // Of the statement, or of the authentication, that it ran for last. Requires: a statement is still there.
  [[nodiscard]] const Receipt& receipt() const {
    return statement_ == nullptr ? request_receipt_ : statement_->receipt;
  }

 private:
  RunStatus advance();
  void on_call_done();
  void note_fault();
  [[nodiscard]] bool is_end() const {
    return point_ == HookPoint::post_query || point_ == HookPoint::settled;
  }
  [[nodiscard]] bool is_settled() const;
  bool wants(const Plugin& plugin) const;
  void absorb();
  void absorb_authenticate(const PluginTraits& traits);
  void absorb_pre_query(const PluginTraits& traits);
  void absorb_end(const PluginTraits& traits, const char* hook);
  void refuse(const PluginTraits& traits, DecidedBy decided_by, std::string_view sqlstate,
              std::string message);
  void refuse_as_failed(const PluginTraits& traits, const char* what);

  base::Executor& home_;
  std::function<void()> on_progress_;
  Call call_;
  std::shared_ptr<const Chain> chain_;  // of the present run
  StatementExecution* statement_ = nullptr;
  Receipt request_receipt_;  // while there is no statement
  const AuthenticationRequest* request_ = nullptr;
  HookPoint point_ = HookPoint::pre_query;
  std::size_t next_ = 0;
  bool session_statement_ = false;
  bool pending_ = false;
  bool is_cancelled_ = false;
  ChainResult result_;
  std::exception_ptr fault_;  // that nobody has been told yet
};

}  // namespace helios::hooks
