// SPDX-License-Identifier: Apache-2.0
#include "plugin_fixture.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>

#include <unistd.h>

namespace helios::plugins {

namespace {

namespace fs = std::filesystem;

fs::path make_folder() {
  std::string name = (fs::temp_directory_path() / "helios-plugins-XXXXXX").string();
  EXPECT_NE(mkdtemp(name.data()), nullptr);
  return name;
}

std::uint64_t next_statement_id() {
  static std::atomic<std::uint64_t> next = 1;
  return next++;
}

}  // namespace

void WaitingExecutor::post(base::Task task) {
  const std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
  posted_.notify_one();
}

base::Task WaitingExecutor::take() {
  std::unique_lock lock(mutex_);
  posted_.wait(lock, [this] { return !tasks_.empty(); });
  base::Task task = std::move(tasks_.front());
  tasks_.pop_front();
  return task;
}

bool WaitingExecutor::wait_for_task(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return posted_.wait_for(lock, limit, [this] { return !tasks_.empty(); });
}

Statement::Statement(std::shared_ptr<const hooks::Chain> chain, std::string_view tenant,
                     std::string_view text)
    : text_(text) {
  auto context = std::make_shared<hooks::Context>();
  context->session_id = "0b5c5b9e-52f5-4d0a-9d6a-0d6f3c1e7a11";
  context->user = "alice";
  context->database = "demo";
  context->client_ip = "127.0.0.1";
  if (!tenant.empty()) {
    context->tenant_id = tenant;
    context->attributes.emplace_back("tenant_id", tenant);
  }
  execution_.id = next_statement_id();
  execution_.text = text_;
  execution_.is_read_only = true;
  execution_.context = std::move(context);
  execution_.plugins.resize(chain->plugins().size());
  execution_.chain = std::move(chain);
}

TestCall::TestCall(hooks::Plugin& plugin, Statement& statement, hooks::HookPoint point,
                   base::Executor& home)
    : plugin_(plugin) {
  call_.point = point;
  call_.statement = &statement.execution();
  call_.home = &home;
  call_.on_done = [this] { done_ = true; };
}

bool TestCall::start() {
  const bool at_once = plugin_.run(call_) == hooks::RunStatus::done;
  if (at_once) done_ = true;
  return at_once;
}

hooks::CallResult run_hook(const std::shared_ptr<const hooks::Chain>& chain, std::string_view name,
                           hooks::HookPoint point, std::string_view tenant) {
  const auto found = std::ranges::find_if(
      chain->plugins(), [&](const auto& one) { return one->traits().name == name; });
  EXPECT_NE(found, chain->plugins().end()) << name;
  WaitingExecutor home;
  Statement statement(chain, tenant);
  TestCall call(**found, statement, point, home);
  call.start();
  home.run_until([&] { return call.done(); });
  return call.result();
}

PluginTest::PluginTest()
    : folder_(make_folder()), store_(kv::Limits(), clock_), config_(small_config(folder_)) {}

PluginTest::~PluginTest() {
  lane_.stop();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

config::Plugins PluginTest::small_config(std::string directory) {
  config::Plugins config;
  config.directory = std::move(directory);
  config.pool_instances = 16;
  config.memory_reservation_mb = 64;
  return config;
}

void PluginTest::add_guest(std::string_view guest, std::string_view name) {
  const std::string source(guest);
  const std::string target(name.empty() ? guest : name);
  fs::copy_file(fs::path(HELIOS_GUEST_DIR) / (source + ".wat"), folder_ / (target + ".wat"),
                fs::copy_options::overwrite_existing);
}

void PluginTest::write_file(const std::string& file_name, std::string_view content) const {
  std::ofstream(folder_ / file_name, std::ios::binary) << content;
}

void PluginTest::remove_file(const std::string& file_name) const {
  fs::remove(folder_ / file_name);
}

base::Result<std::shared_ptr<const hooks::Chain>> PluginTest::load() {
  hmac_key_.fill(0x0b);
  host_ = std::make_unique<PluginHost>(config_, *plugin_store_, lane_, *plugin_clock_, log_,
                                       inline_ticks_, faults_, config::State{}, &hmac_key_);
  return host_->load();
}

std::shared_ptr<const hooks::Chain> PluginTest::load_ok() {
  auto chain = load();
  if (!chain) {
    ADD_FAILURE() << chain.error().message;
    return std::make_shared<hooks::Chain>(std::vector<std::shared_ptr<hooks::Plugin>>());
  }
  return *chain;
}

hooks::Plugin& PluginTest::plugin(const std::shared_ptr<const hooks::Chain>& chain,
                                  std::string_view name) {
  const auto found = std::ranges::find_if(
      chain->plugins(), [&](const auto& one) { return one->traits().name == name; });
  EXPECT_NE(found, chain->plugins().end()) << name;
  return **found;
}

PluginInfo PluginTest::info(std::string_view name) const {
  for (const PluginInfo& one : host_->describe())
    if (one.name == name) return one;
  ADD_FAILURE() << "no plugin " << name;
  return {};
}

std::optional<std::string> PluginTest::value(std::string_view space, std::string_view key) {
  kv::Namespace* const found = store_.find(space);
  if (found == nullptr) return std::nullopt;
  kv::Transaction transaction(store_, *found);
  std::string_view out;
  if (transaction.get(key, out) != kv::ReadStatus::value) return std::nullopt;
  return std::string(out);
}

void PluginTest::put(std::string_view space, std::string_view key, std::string_view value) {
  kv::Transaction transaction(store_, *store_.find(space));
  EXPECT_EQ(transaction.set(key, value), kv::WriteStatus::ok);
  EXPECT_EQ(transaction.commit([](kv::CommitStatus) {}), kv::CommitStatus::done);
}

void PluginTest::remove(std::string_view space, std::string_view key) {
  kv::Transaction transaction(store_, *store_.find(space));
  EXPECT_EQ(transaction.erase(key), kv::WriteStatus::ok);
  EXPECT_EQ(transaction.commit([](kv::CommitStatus) {}), kv::CommitStatus::done);
}

std::uint64_t PluginTest::key_count() { return store_.total_usage().keys; }

}  // namespace helios::plugins
