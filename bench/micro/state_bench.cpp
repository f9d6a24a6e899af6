// SPDX-License-Identifier: Apache-2.0
//
// What keeping state costs. Each line of the output is one number, and how it was come by.
//
//   state_bench [FOLDER [KEYS [RECORDS]]]   FOLDER: on the disk to be measured (default: here); KEYS: to recover;
//                                           RECORDS: of a stream
//
// hot key   all cores increment one key of a namespace in memory; none may be lost
// strict    sessions that each wait for their commit to be on disk, beside threads that write to RocksDB
//           alone with a sync each, which it groups; in turns on the same disk
// append    a thread that appends records of 200 bytes, beside one that sets keys to values of 200 bytes, class relaxed, in
//           turns: processor time of one, the writing thread's with it
// recovery  a directory with KEYS small keys is opened: time, and what the process takes then
// stream    a directory with RECORDS records of 100 bytes: how fast they are appended, the memory that takes, the time of a
//           start, and the time to find the last ones by their time

#include "bench/micro/wall_clock.hpp"
#include "kv/memory_store.hpp"
#include "kv/rocksdb/disk_journal.hpp"
#include "kv/transaction.hpp"

#include <rocksdb/db.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include <time.h>

namespace helios::kv {
namespace {

constexpr std::int64_t kRoundNs = 2'000'000'000;
constexpr int kRounds = 3;
constexpr std::size_t kSessions = 64;

class Quiet final : public base::Log {
 public:
  void write(base::LogLevel level, std::string_view line) override {
    if (level == base::LogLevel::error)
      std::fprintf(stderr, "%.*s\n", int(line.size()), line.data());
  }
  [[nodiscard]] bool enabled(base::LogLevel) const override { return false; }
};

bench::WallClock wall_clock;
Quiet quiet;

template <typename T>
T need(base::Result<T> result) {
  if (result) return *std::move(result);
  std::fprintf(stderr, "%s\n", result.error().message.c_str());
  std::exit(1);
}

void check(bool is_so, const char* what) {
  if (is_so) return;
  std::fprintf(stderr, "failed: %s\n", what);
  std::exit(1);
}

// Runs `body(thread, is_over)` on so many threads for one round; how often a second `count` grew.
double rate(std::size_t threads,
            const std::function<std::uint64_t(std::size_t, const std::atomic<bool>&)>& body) {
  std::atomic<bool> is_over = false;
  std::atomic<std::uint64_t> total = 0;
  const std::int64_t began = wall_clock.monotonic_ns();
  std::vector<std::jthread> running;
  for (std::size_t i = 0; i < threads; ++i) {
    running.emplace_back([&, i] { total += body(i, is_over); });
  }
  std::this_thread::sleep_for(std::chrono::nanoseconds(kRoundNs));
  is_over = true;
  running.clear();
  return static_cast<double>(total) * 1e9 / static_cast<double>(wall_clock.monotonic_ns() - began);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// One more in an eight-byte counter.
bool increment(Transaction& transaction, std::string_view key, CommitStatus& status,
               OnCommit done) {
  transaction.reset();
  std::string_view value;
  std::uint64_t number = 0;
  const ReadStatus read = transaction.get(key, value);
  if (read == ReadStatus::doomed) return false;
  if (read == ReadStatus::value) number = std::stoull(std::string(value));
  if (transaction.set(key, std::to_string(number + 1)) != WriteStatus::ok) return false;
  status = transaction.commit(std::move(done));
  return true;
}

void measure_hot_key() {
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  std::vector<double> rates;
  for (int round = 0; round < kRounds; ++round) {
    MemoryStore store(Limits{}, wall_clock);
    Namespace& space = *need(store.open("bench"));
    std::atomic<std::uint64_t> done = 0;
    rates.push_back(rate(cores, [&](std::size_t, const std::atomic<bool>& is_over) {
      Transaction transaction(store, space);
      std::uint64_t own = 0;
      while (!is_over) {
        CommitStatus status = CommitStatus::conflict;
        own += increment(transaction, "hot", status, {}) && status == CommitStatus::done ? 1 : 0;
      }
      done += own;
      return own;
    }));
    const auto page = store.scan(space, {});
    check(page.items.at(0).value == std::to_string(done), "increments were lost");
  }
  std::printf("hot key: %.0f transactions/s of %zu threads, none lost\n", median(rates), cores);
}

double strict_rate(const std::string& folder) {
  auto journal = need(rocksdb::DiskJournal::open({.directory = folder}, wall_clock, quiet));
  MemoryStore store(Limits{}, wall_clock);
  store.attach(*journal, {.standard = Durability::strict});
  check(journal->recover(store).has_value(), "recovery");
  journal->start();
  Namespace& space = *need(store.open("bench"));
  const double result = rate(kSessions, [&](std::size_t session, const std::atomic<bool>& is_over) {
    Transaction transaction(store, space);
    std::binary_semaphore answered(0);
    const std::string key = "tenant:" + std::to_string(session) + ":usage";
    std::uint64_t own = 0;
    while (!is_over) {
      CommitStatus status = CommitStatus::conflict;
      if (!increment(transaction, key, status, [&](CommitStatus late) {
            status = late;
            answered.release();
          }))
        continue;
      if (status == CommitStatus::pending) answered.acquire();
      ++own;
    }
    return own;
  });
  journal->stop(store.last_used_version());
  return result;
}

// The same bytes, written and synced by RocksDB's own grouping.
double plain_rate(const std::string& folder) {
  ::rocksdb::Options options;
  options.create_if_missing = true;
  ::rocksdb::DB* opened = nullptr;
  check(::rocksdb::DB::Open(options, folder, &opened).ok(), "opening RocksDB");
  const std::unique_ptr<::rocksdb::DB> db(opened);
  ::rocksdb::WriteOptions synced;
  synced.sync = true;
  return rate(kSessions, [&](std::size_t session, const std::atomic<bool>& is_over) {
    const std::string key = "ebbench tenant:" + std::to_string(session) + ":usage";
    std::uint64_t own = 0;
    while (!is_over) {
      const std::string value = std::string(16, ' ') + std::to_string(own);
      check(db->Put(synced, key, value).ok(), "writing to RocksDB");
      ++own;
    }
    return own;
  });
}

void measure_strict(const std::string& folder) {
  std::vector<double> strict;
  std::vector<double> plain;
  for (int round = 0; round < kRounds; ++round) {
    strict.push_back(strict_rate(folder + "/strict"));
    plain.push_back(plain_rate(folder + "/plain"));
  }
  std::printf("strict: %.0f commits/s of %zu sessions; RocksDB alone with sync: %.0f; ratio %.2f\n",
              median(strict), kSessions, median(plain), median(strict) / median(plain));
}

std::unique_ptr<rocksdb::DiskJournal> open_journal(const std::string& folder, MemoryStore& store,
                                                   Durability durability) {
  auto journal = need(rocksdb::DiskJournal::open({.directory = folder}, wall_clock, quiet));
  store.attach(*journal, {.standard = durability});
  check(journal->recover(store).has_value(), "recovery");
  journal->start();
  return journal;
}

// Waits where the journal is behind.
void commit(Transaction& transaction) {
  std::binary_semaphore answered(0);
  CommitStatus status = CommitStatus::pending;
  const CommitStatus now = transaction.commit([&](CommitStatus late) {
    status = late;
    answered.release();
  });
  if (now == CommitStatus::pending) answered.acquire();
  check((now == CommitStatus::pending ? status : now) == CommitStatus::done, "committing");
}

double process_cpu_us() {
  timespec time{};
  check(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0, "the clock of the process");
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) * 1e-3;
}

Limits no_limits() {
  Limits limits;
  limits.max_keys_per_namespace = limits.max_bytes_per_namespace = limits.max_total_bytes = ~0ULL;
  return limits;
}

// Processor time of one transaction that calls `write` once, until all of them are with the operating system.
double relaxed_cost_us(const std::string& folder,
                       const std::function<WriteStatus(Transaction&, int)>& write) {
  constexpr int kTransactions = 200'000;
  MemoryStore store(no_limits(), wall_clock);
  const auto journal = open_journal(folder, store, Durability::relaxed);
  Namespace& space = *need(store.open("bench"));
  Transaction transaction(store, space);
  const double began = process_cpu_us();
  for (int i = 0; i < kTransactions; ++i) {
    transaction.reset();
    check(write(transaction, i) == WriteStatus::ok, "writing");
    commit(transaction);
  }
  journal->stop(store.last_used_version());
  return (process_cpu_us() - began) / kTransactions;
}

void measure_append(const std::string& folder) {
  const std::string bytes(200, 'v');
  std::vector<double> append;
  std::vector<double> set;
  for (int round = 0; round < kRounds; ++round) {
    append.push_back(
        relaxed_cost_us(folder + "/append" + std::to_string(round),
                        [&](Transaction& it, int) { return it.append("trail", bytes); }));
    set.push_back(
        relaxed_cost_us(folder + "/set" + std::to_string(round), [&](Transaction& it, int i) {
          return it.set("tenant:" + std::to_string(i % 10'000), bytes);
        }));
  }
  std::printf("append: %.2f us of processor time; a set of the same size: %.2f; ratio %.2f\n",
              median(append), median(set), median(append) / median(set));
}

std::uint64_t resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stoull(line.substr(6));
  }
  return 0;
}

void fill(const std::string& folder, std::uint64_t keys) {
  auto journal = need(rocksdb::DiskJournal::open({.directory = folder}, wall_clock, quiet));
  const std::string value(8, 'v');
  journal->start();
  for (std::uint64_t i = 0; i < keys; ++i) {
    const std::string key = "tenant:" + std::to_string(i);
    const Change change{.key = key, .value = value};
    journal->append({.space = "bench", .version = i + 1, .changes = {&change, 1}});
    while (journal->is_behind()) std::this_thread::yield();
  }
  journal->stop(keys + 1);
}

void measure_recovery(const std::string& folder, std::uint64_t keys) {
  // In a process of its own, so that what the filling took does not count.
  const std::uint64_t before_kib = resident_kib();
  const std::int64_t began = wall_clock.monotonic_ns();
  auto journal = need(rocksdb::DiskJournal::open({.directory = folder}, wall_clock, quiet));
  MemoryStore store(no_limits(), wall_clock);
  store.attach(*journal, {});
  check(journal->recover(store).has_value(), "recovery");
  const double seconds = static_cast<double>(wall_clock.monotonic_ns() - began) * 1e-9;
  check(store.total_usage().keys == keys, "keys are missing");
  std::printf("recovery: %llu keys in %.2f s, %llu MiB resident (%llu before)\n",
              static_cast<unsigned long long>(keys), seconds,
              static_cast<unsigned long long>(resident_kib() / 1024),
              static_cast<unsigned long long>(before_kib / 1024));
}

Limits stream_limits() {
  Limits limits = no_limits();
  limits.max_stream_bytes = ~0ULL;
  return limits;
}

void fill_stream(const std::string& folder, std::uint64_t records) {
  constexpr int kRecordsAtOnce = 100;
  const std::string bytes(100, 'v');
  MemoryStore store(stream_limits(), wall_clock);
  const auto journal = open_journal(folder, store, Durability::relaxed);
  Namespace& space = *need(store.open("bench"));
  Transaction transaction(store, space);
  const std::int64_t began = wall_clock.monotonic_ns();
  for (std::uint64_t i = 0; i < records; i += kRecordsAtOnce) {
    transaction.reset();
    for (int part = 0; part < kRecordsAtOnce; ++part)
      check(transaction.append("trail", bytes) == WriteStatus::ok, "appending");
    commit(transaction);
  }
  const std::uint64_t resident = resident_kib() / 1024;
  journal->stop(store.last_used_version());
  const double seconds = static_cast<double>(wall_clock.monotonic_ns() - began) * 1e-9;
  std::printf("stream: %llu records appended, %.0f a second, %llu MiB resident\n",
              static_cast<unsigned long long>(records), static_cast<double>(records) / seconds,
              static_cast<unsigned long long>(resident));
}

// In a process of its own, too.
void measure_stream(const std::string& folder, std::uint64_t records) {
  const std::int64_t began = wall_clock.monotonic_ns();
  MemoryStore store(stream_limits(), wall_clock);
  const auto journal = open_journal(folder, store, Durability::relaxed);
  const double start_s = static_cast<double>(wall_clock.monotonic_ns() - began) * 1e-9;
  Namespace& space = *need(store.open("bench"));
  const auto last = need(store.read_stream(space, "trail", {.from = records}));
  check(last.records.size() == 1 && last.extent.next == records + 1, "records are missing");
  const std::int64_t asked = wall_clock.monotonic_ns();
  const auto found = need(store.read_stream(space, "trail", {.since_ms = last.records[0].time_ms}));
  const double find_ms = static_cast<double>(wall_clock.monotonic_ns() - asked) * 1e-6;
  check(!found.records.empty(), "the last record has a time");
  std::printf("stream: started in %.2f s, %llu MiB resident; found by time in %.1f ms\n", start_s,
              static_cast<unsigned long long>(resident_kib() / 1024), find_ms);
  journal->stop(store.last_used_version());
}

}  // namespace
}  // namespace helios::kv

int main(int argc, char** argv) {
  const std::filesystem::path base = argc > 1 ? argv[1] : ".";
  const std::uint64_t keys = argc > 2 ? std::stoull(argv[2]) : 1'000'000;
  const std::uint64_t records = argc > 3 ? std::stoull(argv[3]) / 100 * 100 : 1'000'000;
  const std::string folder = (base / "helios-state-bench").string();
  // The second run of this program, see below.
  if (argc > 4) {
    helios::kv::measure_recovery(folder + "/recovery", keys);
    helios::kv::measure_stream(folder + "/stream", records);
    return 0;
  }
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  helios::kv::measure_hot_key();
  helios::kv::measure_strict(folder);
  helios::kv::measure_append(folder);
  helios::kv::fill(folder + "/recovery", keys);
  helios::kv::fill_stream(folder + "/stream", records);
  std::fflush(stdout);
  const std::string again = "'" + std::string(argv[0]) + "' '" + base.string() + "' " +
                            std::to_string(keys) + " " + std::to_string(records) + " again";
  const int status = std::system(again.c_str());
  std::filesystem::remove_all(folder);
  return status == 0 ? 0 : 1;
}
