// SPDX-License-Identifier: Apache-2.0
#pragma once

// Plugins whose answers a test writes down, and one chain of them with a statement to run on.

#include "hooks/chain.hpp"
#include "support/manual_executor.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace helios::hooks::test {

CallResult block(std::string reason, std::string sqlstate = "");
CallResult rewrite(std::string sql);
CallResult failure(std::string why);
CallResult limits(std::optional<std::uint64_t> rows, std::optional<std::uint64_t> bytes,
                  std::string hint);

// What the plugins of one run saw, in order: "name:pre:text" and "name:post".
using Calls = std::vector<std::string>;

class ScriptedPlugin final : public Plugin {
 public:
  ScriptedPlugin(PluginTraits traits, Calls& calls) : traits_(std::move(traits)), calls_(calls) {}

  CallResult pre_query;    // what it answers
  CallResult post_query;   // likewise
  bool is_silent = false;  // leaves the result as it finds it
  // Set: every call answers pending, and completes when this executor runs.
  base::Executor* elsewhere = nullptr;

  [[nodiscard]] const PluginTraits& traits() const override { return traits_; }
  RunStatus run(Call& call) override;

 private:
  void perform(Call& call);

  PluginTraits traits_;
  Calls& calls_;
};

// A plugin that has both hooks.
PluginTraits both(std::string name, OnError on_error = OnError::deny);
PluginTraits pre_only(std::string name, OnError on_error = OnError::deny);
PluginTraits post_only(std::string name, OnError on_error = OnError::deny);

// Runs hook points of one statement. Plugins run in the order in which they are added.
class ChainFixture {
 public:
  ScriptedPlugin& add(PluginTraits traits);

  // Runs to the end: executors are run until nothing is pending.
  const ChainResult& run(HookPoint point, bool is_session_statement = false);
  // Only starts.
  RunStatus start(HookPoint point, bool is_session_statement = false);

  // Every plugin answers pending from now on.
  void make_pending();

  // Which plugins are owed a post_query, in chain order.
  [[nodiscard]] std::vector<bool> owed() const;

  Calls calls;
  int progress = 0;  // calls of on_progress
  StatementExecution statement;
  helios::test::ManualExecutor home;
  helios::test::ManualExecutor elsewhere;
  ChainRun chain_run{home, [this] { ++progress; }};

 private:
  std::vector<std::shared_ptr<ScriptedPlugin>> plugins_;
};

}  // namespace helios::hooks::test
