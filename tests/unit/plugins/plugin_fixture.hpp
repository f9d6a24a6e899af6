// SPDX-License-Identifier: Apache-2.0
#pragma once

// A plugin host on a folder of its own, over a store in memory, with real wasm; and statements to run
// hooks on. Guests come from tests/guests by name.

#include "base/executor.hpp"
#include "exec/slow_lane.hpp"
#include "hooks/chain.hpp"
#include "kv/memory_store.hpp"
#include "kv/transaction.hpp"
#include "plugins/plugin_host.hpp"
#include "support/capture_log.hpp"
#include "support/fake_clock.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace helios::plugins {

// A thread's own executor: the thread runs it where it has to wait.
class WaitingExecutor final : public base::Executor {
 public:
  void post(base::Task task) override;

  // Runs what is posted until `done` is true.
  template <typename Done>
  void run_until(Done done) {
    while (!done()) take()();
  }

  // Runs what was posted first, and waits for it if it must.
  void run_one() { take()(); }

  // True when something is posted within `limit`. Runs nothing.
  bool wait_for_task(std::chrono::milliseconds limit);

 private:
  base::Task take();

  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<base::Task> tasks_;
};

// One statement with a tenant, for `chain`. Must not move: the text is its own.
class Statement {
 public:
  Statement(std::shared_ptr<const hooks::Chain> chain, std::string_view tenant,
            std::string_view text = "SELECT 1");
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  hooks::StatementExecution& execution() { return execution_; }

 private:
  std::string text_;
  hooks::StatementExecution execution_;
};

// One call of a plugin's hook on a statement, and whether it has ended.
class TestCall {
 public:
  TestCall(hooks::Plugin& plugin, Statement& statement, hooks::HookPoint point,
           base::Executor& home);
  TestCall(const TestCall&) = delete;
  TestCall& operator=(const TestCall&) = delete;

  // Returns whether it was answered at once.
  bool start();
  void cancel() { call_.is_cancelled = true; }
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] const hooks::CallResult& result() const { return call_.result; }

 private:
  hooks::Plugin& plugin_;
  hooks::Call call_;
  bool done_ = false;
};

// Runs the hook of the chain's plugin called `name` from start to end on this thread.
hooks::CallResult run_hook(const std::shared_ptr<const hooks::Chain>& chain, std::string_view name,
                           hooks::HookPoint point, std::string_view tenant = "acme");

class PluginTest : public ::testing::Test {
 protected:
  PluginTest();
  ~PluginTest() override;

  // A small engine, so that many tests fit and sanitizers find the room.
  static config::Plugins small_config(std::string directory);

  // Copies guest `guest` into the plugin folder, as `name`.wat. An empty name: as it is called.
  void add_guest(std::string_view guest, std::string_view name = "");
  void write_file(const std::string& file_name, std::string_view content) const;
  void remove_file(const std::string& file_name) const;

  // Makes the host (again) and loads; `fail` says nothing, the result does.
  base::Result<std::shared_ptr<const hooks::Chain>> load();
  // The same, and expects it to work.
  std::shared_ptr<const hooks::Chain> load_ok();

  hooks::Plugin& plugin(const std::shared_ptr<const hooks::Chain>& chain, std::string_view name);
  PluginInfo info(std::string_view name) const;

  // The committed value in a namespace; nullopt when there is none.
  std::optional<std::string> value(std::string_view space, std::string_view key);
  std::uint64_t key_count();

  // Commits a write to a namespace, as an operator would.
  void put(std::string_view space, std::string_view key, std::string_view value);
  void remove(std::string_view space, std::string_view key);

  const std::filesystem::path folder_;
  test::FakeClock clock_;
  test::CaptureLog log_;
  kv::MemoryStore store_;
  exec::SlowLane lane_{2};
  config::Plugins config_;
  const base::Clock* plugin_clock_ = &clock_;  // what plugins are told the time by
  kv::Store* plugin_store_ = &store_;
  std::uint32_t inline_ticks_ = kInlineTicks;
  base::FaultSink* faults_ = nullptr;
  HmacKey hmac_key_{};
  std::unique_ptr<PluginHost> host_;
};

// For tests that count attempts: no call leaves the event loop only because the machine was busy.
class PatientPluginTest : public PluginTest {
 protected:
  PatientPluginTest() { inline_ticks_ = 60'000 / kTickMs; }
};

}  // namespace helios::plugins
