// SPDX-License-Identifier: Apache-2.0
//
// One session without sockets: what its own code does for a query. To be run under an instruction counter, which
// bench/instructions.py does; by itself it counts what needs no counter of the machine's.
//
//   session_bench            prints the names of the shapes, one a line
//   session_bench SHAPE N    runs N queries of a shape; prints "allocations A, clock readings C" for all of them
//
// A shape is MESSAGES/PLUGIN.
//   query      Query
//   unnamed    Parse, Bind, Describe, Execute, Sync of the unnamed statement
//   prepared   Bind, Execute, Sync of a named statement
//   libpq      the same with a Describe of the portal: what libpq, thus pgbench, sends
//   none       no plugin, and no folder for any
//   folder     a folder without a plugin: texts are looked at
//   counter    the counter of ABI 2 with a reused instance
//   audit      the plugin audit-chain, its trail in memory
//   governor   the plugin cost-governor, its tenant with a budget of cost that is never spent
//
// The answers are whole messages in one piece, as a server sends them. What comes out is compared with what went in.

#include "kv/memory_store.hpp"
#include "pgwire/command_complete.hpp"
#include "pgwire/extended.hpp"
#include "pgwire/query.hpp"
#include "pgwire/row_messages.hpp"
#include "plugins/plugin_host.hpp"
#include "session/session.hpp"
#include "tests/support/allocation_counter.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

namespace helios::session {
namespace {

constexpr std::string_view kTenant = "acme";
constexpr std::string_view kCounted = "count:acme";
constexpr std::string_view kCounter = "counter2";
constexpr std::string_view kAudit = "audit-chain";
constexpr std::string_view kGovernor = "cost-governor";
constexpr std::string_view kBudget = R"({"minute":1000000,"hour":1000000,"day":1000000})";
constexpr std::uint64_t kWarmUp = 200;
constexpr std::uint32_t kPatience =
    1'000'000;  // ticks: a counted call is slow, and may stay where it is all the same

void check(bool is_so, std::string_view what) {
  if (is_so) return;
  std::fprintf(stderr, "session_bench: failed: %.*s\n", int(what.size()), what.data());
  std::_Exit(1);
}

// Time goes on by a microsecond with each look at it, so that every run does the same.
class CountingClock final : public base::Clock {
 public:
  [[nodiscard]] std::int64_t monotonic_ns() const override { return ++readings_ * 1000; }
  [[nodiscard]] std::int64_t wall_ms() const override {
    return 1'704'067'200'000 + ++readings_ / 1000;
  }
  [[nodiscard]] std::int64_t readings() const { return readings_; }

 private:
  mutable std::int64_t readings_ = 1;
};

// The clock of what other threads look at too.
class StandingClock final : public base::Clock {
 public:
  [[nodiscard]] std::int64_t monotonic_ns() const override { return 1'000'000'000; }
  [[nodiscard]] std::int64_t wall_ms() const override { return 1'704'067'200'000; }
};

class DropLog final : public base::Log {
 public:
  void write(base::LogLevel level, std::string_view line) override {
    if (level == base::LogLevel::error)
      std::fprintf(stderr, "%.*s\n", int(line.size()), line.data());
  }
  [[nodiscard]] bool enabled(base::LogLevel) const override { return false; }
};

// The worker's mailbox; in steady state it takes no memory.
class Mailbox final : public base::Executor {
 public:
  void post(base::Task task) override { tasks_.push_back(std::move(task)); }
  void run() {
    while (!tasks_.empty()) {
      running_.swap(tasks_);
      for (base::Task& task : running_) task();
      running_.clear();
    }
  }

 private:
  std::vector<base::Task> tasks_;
  std::vector<base::Task> running_;
};

std::string message(char type, std::string_view body) {
  std::string out(1, type);
  const auto length = static_cast<std::uint32_t>(body.size() + 4);
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(length >> shift & 0xff);
  return out.append(body);
}

std::string startup_packet() {
  std::string body("\0\3\0\0", 4);
  for (const std::string_view word :
       {std::string_view("user"), std::string_view("ann"), std::string_view("database"),
        std::string_view("shop"), std::string_view("helios.tenant_id"), kTenant,
        std::string_view()}) {
    body.append(word).push_back('\0');
  }
  return message('?', body).substr(1);
}

std::string ready() { return message('Z', "I"); }

std::string parameter(std::string_view name, std::string_view value) {
  std::string body(name);
  body.push_back('\0');
  return message('S', body.append(value) + '\0');
}

std::string greeting() {
  return message('R', std::string(4, '\0')) + parameter("client_encoding", "UTF8") +
         parameter("standard_conforming_strings", "on") +
         message('K', std::string("\0\0\0\7abcd", 8)) + ready();
}

struct Shape {
  std::string_view messages;
  std::string_view plugin;
  [[nodiscard]] std::string name() const {
    return std::string(messages) + "/" + std::string(plugin);
  }
};
constexpr std::string_view kMessages[] = {"query", "unnamed", "prepared", "libpq"};
constexpr std::string_view kPlugins[] = {"none", "folder", "counter", "audit", "governor"};

// What the client sends for one query, and what the server answers; first once, what prepares for it.
struct Exchange {
  std::string question;
  std::string answer;
};
struct Script {
  Exchange preparation;
  Exchange query;
};

constexpr std::string_view kText = "SELECT abalance FROM pgbench_accounts WHERE aid = 4711;";
constexpr std::string_view kParameterText = "SELECT abalance FROM pgbench_accounts WHERE aid = $1;";

Script script_of(std::string_view messages) {
  const std::string columns = pgwire::serialize_row_description({{"abalance", 23}});
  const std::string rows = pgwire::serialize_data_row({"-123"}) +
                           pgwire::serialize_command_complete("SELECT 1") + ready();
  if (messages == "query") return {{}, {pgwire::serialize_query(kText), columns + rows}};

  const std::string_view name = messages == "unnamed" ? "" : "P0_1";
  const std::string parse = pgwire::serialize_parse(name, kParameterText);
  // No format codes, one value of four bytes; no format codes for the result.
  const std::string bind = pgwire::serialize_bind("", name,
                                                  {"\0\0\0\1\0\0\0\4"
                                                   "4711",
                                                   12},
                                                  {"\0\0", 2});
  const std::string describe = message('D', {"P\0", 2});
  const std::string sync = message('S', {});
  const std::string execute = pgwire::serialize_execute("", 0);
  const std::string parsed = message('1', {});
  const std::string bound = message('2', {});
  if (messages == "unnamed")
    return {{}, {parse + bind + describe + execute + sync, parsed + bound + columns + rows}};
  const Exchange preparation{parse + sync, parsed + ready()};
  if (messages == "prepared") return {preparation, {bind + execute + sync, bound + rows}};
  return {preparation, {bind + describe + execute + sync, bound + columns + rows}};
}

// One link, which is granted when the bench says so.
class OneLink final : public backend::Upstream {
 public:
  void claim() override {}
  void give_up() override {}
  backend::Link link{"heliosproxy session-1"};
};

// The worker around a session.
class Bench {
 public:
  explicit Bench(const Shape& shape) : script_(script_of(shape.messages)) {
    config::Config config;
    if (shape.plugin != "none") config.plugins.directory = "plugins";
    if (shape.plugin == "counter")
      load(std::filesystem::path(HELIOS_GUESTS) / (std::string(kCounter) + ".wat"),
           "instance = \"reuse\"\n");
    if (shape.plugin == "audit")
      load(std::filesystem::path(HELIOS_PLUGINS) / (std::string(kAudit) + ".wasm"),
           "instance = \"reuse\"\nhooks = [\"pre_query\", \"post_query\", \"settled\"]\n"
           "statements = \"all\"\non_error = \"deny\"\n");
    if (shape.plugin == "governor") {
      load(std::filesystem::path(HELIOS_PLUGINS) / (std::string(kGovernor) + ".wasm"),
           "instance = \"reuse\"\nhooks = [\"pre_query\", \"post_query\"]\nstatements = \"all\"\n");
      give_budget();
    }
    plugin_ = shape.plugin;
    if (!environment_.chain)
      environment_.chain =
          std::make_shared<hooks::Chain>(std::vector<std::shared_ptr<hooks::Plugin>>{});
    environment_.home = &mailbox_;
    environment_.slow = &mailbox_;
    environment_.clock = &clock_;
    environment_.log = &log_;
    environment_.analyzer = &analyzer_;
    environment_.store = &store_;
    environment_.counters = &counters_;
    environment_.timings = &timings_;
    environment_.config = std::make_shared<config::Config>(std::move(config));
    session_ = std::make_unique<Session>(
        environment_,
        Peer{.ip = "10.1.2.3", .os_user = {}, .is_over_limit = false, .session_id = "session-1"},
        upstream_, [this] { is_woken_ = true; });
    connect();
  }

  void run(std::uint64_t queries) {
    for (std::uint64_t i = 0; i < queries; ++i) play(script_.query);
  }

  // Once with a look at what comes out.
  void run_checked() {
    const std::uint64_t before = counters_.statements;
    check(client_sends(script_.query.question) == script_.query.question, "the query as it came");
    check(server_sends(script_.query.answer) == script_.query.answer, "the answer as it came");
    const bool is_hooked = environment_.chain->has_hooks();
    check(counters_.statements - before == (is_hooked ? 1 : 0), "one statement, if anybody looks");
    check(!is_hooked || seen_by_plugin() == counters_.statements, "the plugin has counted");
  }

  [[nodiscard]] std::int64_t clock_readings() const { return clock_.readings(); }

 private:
  void load(const std::filesystem::path& module, std::string_view manifest) {
    const std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("session-bench-" + std::to_string(::getpid()));
    std::filesystem::create_directory(folder);
    std::filesystem::copy(module, folder / module.filename());
    std::ofstream(folder / module.filename().replace_extension(".toml")) << manifest;
    config::Plugins config;
    config.directory = folder.string();
    config.pool_instances = 8;
    config.memory_reservation_mb = 64;
    lane_ = std::make_unique<exec::SlowLane>(1);
    host_ = std::make_unique<plugins::PluginHost>(config, store_, *lane_, standing_clock_, log_,
                                                  kPatience);
    auto chain = host_->load();
    std::filesystem::remove_all(folder);
    check(chain.has_value(), "loading the plugin");
    environment_.chain = *std::move(chain);
  }

  void connect() {
    client_sends(startup_packet());
    perform([this] { session_->on_granted(upstream_.link, actions_); });
    const std::string out = server_sends(greeting());
    check(out.ends_with(ready()), "logging in");
    if (!script_.preparation.question.empty()) play(script_.preparation);
  }

  void play(const Exchange& exchange) {
    perform([&] { session_->on_client_bytes(exchange.question, actions_); });
    actions_.clear();
    perform([&] { session_->on_server_bytes(exchange.answer, actions_); });
    actions_.clear();
    check(session_->wants_client_bytes() && session_->wants_server_bytes(), "a session at work");
  }
  std::string client_sends(std::string_view bytes) {
    perform([&] { session_->on_client_bytes(bytes, actions_); });
    std::string out = actions_.to_server.flatten();
    actions_.clear();
    return out;
  }
  std::string server_sends(std::string_view bytes) {
    perform([&] { session_->on_server_bytes(bytes, actions_); });
    std::string out = actions_.to_client.flatten();
    actions_.clear();
    return out;
  }

  // What the loop does with an event.
  template <typename Event>
  void perform(Event event) {
    event();
    mailbox_.run();
    if (std::exchange(is_woken_, false)) session_->on_wake(actions_);
  }

  void give_budget() {
    auto space = store_.open(std::string(kGovernor));
    check(space.has_value(), "the governor's namespace");
    kv::Transaction transaction(store_, **space);
    check(transaction.set("tenant:" + std::string(kTenant) + ":budget", kBudget,
                          kv::kNeverExpires) == kv::WriteStatus::ok &&
              transaction.commit({}) == kv::CommitStatus::done,
          "giving a budget");
  }

  // Statements that it has taken note of.
  [[nodiscard]] std::uint64_t seen_by_plugin() {
    if (plugin_ == "counter") return counted();
    if (plugin_ == "audit") return recorded();
    auto space = store_.open(std::string(kGovernor));
    const auto page = store_.scan(**space, {});
    return page.items.size() == 2 ? counters_.statements : 0;  // a budget and a usage
  }

  [[nodiscard]] std::uint64_t counted() {
    auto space = store_.open(std::string(kCounter));
    check(space.has_value(), "the counter's namespace");
    const auto page = store_.scan(**space, {});
    check(page.items.size() == 1 && page.items[0].key == kCounted, "the counter's key");
    const std::string value(page.items[0].value);
    std::uint64_t number = 0;  // little-endian
    for (std::size_t i = value.size(); i-- > 0;)
      number = number << 8 | static_cast<unsigned char>(value[i]);
    return number;
  }

  // Statements whose intent, outcome and settlement are in the trail.
  [[nodiscard]] std::uint64_t recorded() {
    auto space = store_.open(std::string(kAudit));
    check(space.has_value(), "the trail's namespace");
    const auto page = store_.read_stream(**space, "trail", {});
    check(page.has_value(), "the trail");
    return (page->extent.next - 1) / 2;
  }

  Script script_;
  std::string_view plugin_;
  CountingClock clock_;
  StandingClock standing_clock_;
  DropLog log_;
  Mailbox mailbox_;
  kv::MemoryStore store_{kv::Limits{}, standing_clock_};
  sql::Analyzer analyzer_{sql::Analyzer::Options{}};
  Counters counters_;
  Timings timings_;
  std::unique_ptr<exec::SlowLane> lane_;
  std::unique_ptr<plugins::PluginHost> host_;
  Environment environment_;
  Actions actions_;
  bool is_woken_ = false;
  OneLink upstream_;
  std::unique_ptr<Session> session_;
};

}  // namespace

// The instruction counter counts inside of this function alone, and knows it by name.
extern "C" [[gnu::noinline, gnu::used]] void session_bench_measured(void* bench,
                                                                    std::uint64_t queries) {
  static_cast<Bench*>(bench)->run(queries);
}

namespace {

void run(const Shape& shape, std::uint64_t queries) {
  Bench bench(shape);
  bench.run_checked();
  bench.run(kWarmUp);
  const std::size_t allocations = test::allocation_count();
  const std::int64_t readings = bench.clock_readings();
  session_bench_measured(&bench, queries);
  std::printf("allocations %zu, clock readings %lld\n", test::allocation_count() - allocations,
              static_cast<long long>(bench.clock_readings() - readings));
  bench.run_checked();
}

int run_named(int argc, char** argv) {
  for (const std::string_view plugin : kPlugins) {
    for (const std::string_view messages : kMessages) {
      const Shape shape{messages, plugin};
      if (argc == 1) std::printf("%s\n", shape.name().c_str());
      if (argc != 3 || shape.name() != argv[1]) continue;
      run(shape, std::strtoull(argv[2], nullptr, 10));
      return 0;
    }
  }
  if (argc == 1) return 0;
  std::fprintf(stderr, "usage: session_bench [SHAPE N]; without arguments it names the shapes\n");
  return 2;
}

}  // namespace
}  // namespace helios::session

int main(int argc, char** argv) { return helios::session::run_named(argc, argv); }
