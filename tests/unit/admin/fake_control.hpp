// SPDX-License-Identifier: Apache-2.0
#pragma once

// A process without plugins or numbers of its own: the test says what it answers.

#include "admin/control.hpp"
#include "support/manual_executor.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::admin {

class FakeControl final : public Control {
 public:
  [[nodiscard]] std::vector<PluginStatus> plugins() override { return plugin_list; }
  void reload_plugins(OnReloaded done) override { reloads.push_back(std::move(done)); }
  void back_up(std::string name, OnBackedUp done) override {
    backups.emplace_back(std::move(name), std::move(done));
  }
  [[nodiscard]] base::Executor& reader() override { return reads; }
  [[nodiscard]] std::vector<IdentityRuleStatus> identity_rules() override { return rules; }
  [[nodiscard]] RefusalPage refusals(const RefusalQuery& query) override {
    refusal_query = query;
    return refusal_page;
  }
  [[nodiscard]] std::vector<blocks::Block> blocks() override { return block_list; }
  void block(BlockRequest request, OnBlocked done) override {
    blocked.push_back(std::move(request));
    on_blocked.push_back(std::move(done));
  }
  void unblock(blocks::Kind kind, std::string name, OnBlocked done) override {
    unblocked.emplace_back(kind, std::move(name));
    on_blocked.push_back(std::move(done));
  }
  void tell_action(const AdminAction& action, std::shared_ptr<base::Executor>,
                   OnTold done) override {
    actions.push_back(std::string(action.method) + " " + std::string(action.target) + " by \"" +
                      std::string(action.token) + "\" from " + std::string(action.client) + ": " +
                      std::string(action.body) + (action.is_forced ? ", forced" : ""));
    if (!tells_later) return done(untold);
    telling.push_back([this, done = std::move(done)]() mutable { done(untold); });
  }
  [[nodiscard]] std::string sole_writer_of(std::string_view space) override {
    return space == append_only_space ? "its-plugin" : "";
  }
  void judge_write(KeyWrite write, std::shared_ptr<base::Executor> home, OnJudged done) override {
    judged.push_back(std::move(write));
    if (meanwhile) meanwhile();
    if (!judges_later) return done(opinion);
    home->post([this, done = std::move(done)]() mutable { done(opinion); });
  }
  void note_forced_write(std::string_view space, std::string_view key) override {
    forced.emplace_back(space, key);
  }
  [[nodiscard]] base::Result<void> ready() override { return ready_result; }
  [[nodiscard]] ServerStatus server() override { return server_status; }
  [[nodiscard]] std::vector<std::string> warnings() override { return warning_list; }
  [[nodiscard]] std::string version() override { return "0.4.0"; }
  [[nodiscard]] std::string engine() override { return "epoll"; }
  [[nodiscard]] std::string metrics_text() override { return "helios_queries_total 7\n"; }

  std::vector<PluginStatus> plugin_list;
  std::vector<std::string> actions;
  std::string untold;  // why those cannot be told
  bool tells_later = false;
  std::vector<std::move_only_function<void()>> telling;  // to be called by the test
  std::string append_only_space;
  std::vector<KeyWrite> judged;
  WriteOpinion opinion;  // on each of them
  bool judges_later = false;
  std::function<void()> meanwhile;  // what others do before the opinion
  std::vector<std::pair<std::string, std::string>> forced;
  base::Result<void> ready_result;
  ServerStatus server_status;
  std::vector<std::string> warning_list;
  std::vector<IdentityRuleStatus> rules;
  RefusalPage refusal_page;
  std::vector<blocks::Block> block_list;
  std::vector<BlockRequest> blocked;
  std::vector<std::pair<blocks::Kind, std::string>> unblocked;
  std::vector<OnBlocked> on_blocked;  // not yet answered
  RefusalQuery refusal_query;
  std::vector<OnReloaded> reloads;  // asked for and not yet answered
  std::vector<std::pair<std::string, OnBackedUp>> backups;
  test::ManualExecutor reads;
};

}  // namespace helios::admin
