// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "admin/control.hpp"
#include "app/block_keeper.hpp"
#include "app/event_feed.hpp"
#include "app/identity_rule_use.hpp"
#include "app/refusal_log.hpp"
#include "app/usage_watch.hpp"
#include "base/clock.hpp"
#include "base/executor.hpp"
#include "kv/store.hpp"
#include "metrics/registry.hpp"
#include "net/proxy.hpp"
#include "plugins/plugin_host.hpp"
#include "plugins/write_judge.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace helios::app {

// What the admin interface is told about the process. Called on the admin thread; a reload goes over
// to the control thread. Lifetime: everything passed outlives it.
class AdminControl final : public admin::Control {
 public:
  struct Process {
    const plugins::PluginHost& host;
    const IdentityRuleUse& identity_rules;
    const RefusalLog& refusals;
    BlockKeeper& blocks;  // but for reading, on the control thread
    const kv::Store& store;
    const metrics::Registry& registry;
    base::Executor& control;
    std::function<void(admin::OnReloaded)> reload;  // on the control thread
    const std::atomic<bool>& serving;
    std::string_view engine;
    std::function<void(const std::string&, admin::OnBackedUp)> back_up;
    const UsageWatch& usage;
    base::Executor& reader;      // whose threads may wait for a disk
    plugins::WriteJudge& judge;  // of what operators write
    EventFeed& events;           // but for what any thread may call, on the control thread
    const net::Proxy& proxy;     // of which any thread may ask
    const base::Clock& clock;
  };
  explicit AdminControl(Process process) : process_(std::move(process)) {}

  std::vector<admin::PluginStatus> plugins() override;
  void reload_plugins(admin::OnReloaded done) override;
  std::vector<admin::IdentityRuleStatus> identity_rules() override;
  admin::RefusalPage refusals(const admin::RefusalQuery& query) override {
    return process_.refusals.read(query);
  }
  std::vector<blocks::Block> blocks() override { return process_.blocks.read(); }
  void block(admin::BlockRequest request, admin::OnBlocked done) override;
  void unblock(blocks::Kind kind, std::string name, admin::OnBlocked done) override;
  void back_up(std::string name, admin::OnBackedUp done) override {
    process_.back_up(name, std::move(done));
  }
  void tell_action(const admin::AdminAction& action, std::shared_ptr<base::Executor> home,
                   admin::OnTold done) override;
  std::string sole_writer_of(std::string_view space) override;
  void judge_write(admin::KeyWrite write, std::shared_ptr<base::Executor> home,
                   admin::OnJudged done) override;
  void note_forced_write(std::string_view space, std::string_view key) override {
    process_.judge.note_forced(space, key);
  }
  base::Executor& reader() override { return process_.reader; }
  base::Result<void> ready() override;
  admin::ServerStatus server() override;
  std::vector<std::string> warnings() override { return process_.usage.warnings(); }
  std::string version() override { return HELIOS_VERSION; }
  std::string engine() override { return std::string(process_.engine); }
  std::string metrics_text() override { return process_.registry.render(); }

 private:
  template <typename Done, typename Task>
  void on_control(Done done, Task task);

  Process process_;
};

}  // namespace helios::app
