// SPDX-License-Identifier: Apache-2.0

// Random operations beside a std::map (and, for streams, a vector), with reopens in between, over all option sets: each class and one that
// changes, short and long logs, quotas that are met and that are not. Transactions of several steps, entries that
// expire, scans, a wall clock that jumps; and again and again a recount of what is there. HELIOS_OPERATIONS: how many
// over all sets. HELIOS_SEED repeats a run.

#include "kv/transaction.hpp"
#include "stream_model.hpp"
#include "support/disk_store.hpp"
#include "support/fake_clock.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>

namespace helios::test {
namespace {

using kv::CommitStatus;
using kv::Durability;
using kv::ReadStatus;
using kv::Transaction;
using kv::WriteStatus;

struct OptionSet {
  const char* name;
  std::optional<Durability> durability;  // none: changes all the time
  bool has_short_logs;
  bool is_tight;  // quotas are met
};

constexpr std::array kOptionSets{
    OptionSet{"memory", Durability::memory, false, false},
    OptionSet{"memory_tight", Durability::memory, false, true},
    OptionSet{"relaxed", Durability::relaxed, false, false},
    OptionSet{"relaxed_tight", Durability::relaxed, false, true},
    OptionSet{"relaxed_short_logs", Durability::relaxed, true, false},
    OptionSet{"relaxed_short_logs_tight", Durability::relaxed, true, true},
    OptionSet{"strict", Durability::strict, false, false},
    OptionSet{"strict_tight", Durability::strict, false, true},
    OptionSet{"strict_short_logs", Durability::strict, true, false},
    OptionSet{"strict_short_logs_tight", Durability::strict, true, true},
    OptionSet{"changing", std::nullopt, false, false},
    OptionSet{"changing_short_logs_tight", std::nullopt, true, true},
};

constexpr std::array<const char*, 2> kSpaces{"one", "one.more"};
constexpr int kKeys = 60;

kv::Limits limits_of(const OptionSet& set) {
  if (!set.is_tight) return {};
  return {.max_value_bytes = 190,
          .max_keys_per_namespace = kKeys / 2,
          .max_bytes_per_namespace = 25 * kv::entry_bytes(3, 100),
          .max_total_bytes = 40 * kv::entry_bytes(3, 100)};
}

unsigned long number_from(const char* variable, unsigned long otherwise) {
  const char* wanted = std::getenv(variable);
  return wanted == nullptr ? otherwise : std::strtoul(wanted, nullptr, 10);
}

struct Entry {
  std::string value;
  kv::ExpiryMs expires_at_ms = kv::kNeverExpires;
  kv::Version not_before = 0;  // it has a version that is at least this
  bool operator==(const Entry& other) const {
    return value == other.value && expires_at_ms == other.expires_at_ms;
  }
};
using Entries = std::map<std::string, Entry>;

class Model : public testing::TestWithParam<OptionSet> {
 protected:
  void SetUp() override {
    disk_.options.sync_interval_ms = 5;
    if (GetParam().has_short_logs) disk_.options.log_bytes = 20'000;
    disk_.open();
  }

  int below(int limit) { return std::uniform_int_distribution(0, limit - 1)(random_); }
  std::string any_key() { return "k" + std::to_string(below(kKeys)); }
  [[nodiscard]] std::int64_t now_ms() const { return clock_.wall_ms() - jumped_ms_; }

  kv::MemoryStore& store() { return disk_.store(); }
  kv::Namespace& space() { return **store().open(kSpaces.at(at_)); }
  Entries& model() { return models_.at(at_); }

  static void drop_expired(Entries& entries, std::int64_t now_ms) {
    std::erase_if(entries, [now_ms](const auto& item) {
      return item.second.expires_at_ms != kv::kNeverExpires && item.second.expires_at_ms <= now_ms;
    });
  }
  static kv::Usage recount(const Entries& entries) {
    kv::Usage usage{.keys = entries.size(), .bytes = 0};
    for (const auto& [key, entry] : entries) {
      usage.bytes += kv::entry_bytes(key.size(), entry.value.size());
    }
    return usage;
  }

  // One transaction on one namespace, and now and then something else.
  void step() {
    at_ = static_cast<std::size_t>(below(2));
    const int what = below(10'000);
    if (what < 2000) clock_.advance_ms(below(40));
    if (what % 100 == 0) jump();
    if (what % 500 == 1) store().remove_expired(2);
    if (what % 200 == 2) compare();
    if (what % 500 == 3) change_class();
    if (what % 500 == 4) reopen();
    for (Entries& entries : models_) drop_expired(entries, now_ms());
    transact();
  }

  void jump() {
    const std::int64_t by_ms = below(20'000) - 10'000;
    clock_.set_wall_ms(clock_.wall_ms() + by_ms);
    jumped_ms_ += by_ms;
  }

  void transact() {
    Transaction transaction(store(), space());
    Entries seen = model();
    appended_ = records_.at(at_);
    has_scanned_ = false;
    is_over_ = false;
    for (int i = 1 + below(4); i > 0 && !is_over_ && !HasFailure(); --i) {
      ++operations_;
      const std::string key = any_key();
      const int what = below(100);
      if (what < 25) {
        read(transaction, seen, key);
      } else if (what < 35) {
        scan(transaction, seen);
      } else if (what < 75) {
        set(transaction, seen, key);
      } else if (what < 82) {
        update(transaction, seen, key);
      } else if (what < 88) {
        append(transaction);
      } else if (what < 95) {
        charge(transaction, seen, "n" + std::to_string(below(4)));
      } else {
        EXPECT_EQ(transaction.erase(key), WriteStatus::ok);
        seen.erase(key);
      }
    }
    if (is_over_ || below(10) == 0) return;  // never happened
    commit(transaction, std::move(seen));
  }

  // Nobody else is there. But a write that needs room removes what has expired, and that ends a transaction that
  // has scanned: keys go.
  bool is_overtaken(bool is_so) {
    if (!is_so) return false;
    EXPECT_TRUE(has_scanned_ && GetParam().is_tight);
    is_over_ = true;
    ++overtaken_;
    return true;
  }

  void read(Transaction& transaction, Entries& seen, const std::string& key) {
    kv::Found found;
    const ReadStatus status = transaction.find(key, found);
    if (is_overtaken(status == ReadStatus::doomed)) return;
    const auto expected = seen.find(key);
    ASSERT_EQ(status, expected == seen.end() ? ReadStatus::absent : ReadStatus::value) << key;
    if (expected == seen.end()) return;
    EXPECT_EQ(found.value, expected->second.value);
    EXPECT_EQ(found.stamp.expires_at_ms, expected->second.expires_at_ms);
    EXPECT_GE(found.stamp.version, expected->second.not_before);
    if (found.stamp.version != kv::kOwnWrite) note_version(at_, found.stamp.version);
  }

  void note_version(std::size_t space, kv::Version version) {
    last_seen_.at(space) = std::max(last_seen_.at(space), version);
  }

  void scan(Transaction& transaction, const Entries& seen) {
    const std::string prefix = below(2) == 0 ? "k" : "k" + std::to_string(below(6));
    const std::string after = below(2) == 0 ? "" : any_key();
    const auto max = static_cast<std::size_t>(1 + below(kKeys));
    kv::KeyPage page;
    const ReadStatus status =
        transaction.scan({.prefix = prefix, .after = after, .max_items = max}, page);
    if (is_overtaken(status == ReadStatus::doomed)) return;
    ASSERT_EQ(status, ReadStatus::value);
    has_scanned_ = true;
    auto next = page.items.begin();
    for (const auto& [key, entry] : seen) {
      if (!key.starts_with(prefix) || key <= after) continue;
      if (next == page.items.end()) {
        EXPECT_FALSE(page.complete) << "without " << key;
        EXPECT_EQ(page.items.size(), max);
        return;
      }
      EXPECT_EQ(next->key, key);
      EXPECT_EQ(next->value_bytes, entry.value.size());
      EXPECT_EQ(next->stamp.expires_at_ms, entry.expires_at_ms);
      ++next;
    }
    EXPECT_TRUE(next == page.items.end() && page.complete);
  }

  void set(Transaction& transaction, Entries& seen, const std::string& key) {
    Entry entry{.value = std::to_string(operations_) +
                         std::string(static_cast<std::size_t>(below(200)), '.')};
    if (below(2) == 0) entry.expires_at_ms = now_ms() + 1 + below(300);
    const auto status = transaction.set(key, entry.value, entry.expires_at_ms);
    note(status, seen, key, std::move(entry));
  }

  void update(Transaction& transaction, Entries& seen, const std::string& key) {
    read(transaction, seen, key);
    const auto present = seen.find(key);
    if (present == seen.end() || is_over_ || HasFailure()) return;
    Entry entry = present->second;
    entry.value = std::to_string(operations_) + "updated";
    const auto status = transaction.update(key, entry.value);
    note(status, seen, key, std::move(entry));
  }

  // A charge that does not fit is told so before anything else is asked of it.
  void charge(Transaction& transaction, Entries& seen, const std::string& key) {
    const std::int64_t amount = below(9) - 3;
    const std::int64_t limit = amount < 0 ? 0 : 12;
    const kv::ExpiryMs end = below(2) == 0 ? now_ms() + 1 + below(300) : kv::kNeverExpires;
    const kv::ChargeAnswer answer = transaction.charge(
        key, kv::CounterCharge{.amount = amount, .limit = limit, .expires_at_ms = end});
    if (is_overtaken(answer.status == kv::ChargeStatus::ended)) return;
    const auto present = seen.find(key);
    const bool is_there = present != seen.end();
    const std::int64_t sum = amount + (is_there ? kv::number_in(present->second.value).value() : 0);
    if (amount < 0 ? sum < limit : sum > limit) {
      EXPECT_EQ(answer.status, kv::ChargeStatus::refused);
      return;
    }
    EXPECT_TRUE(answer.status == kv::ChargeStatus::made ||
                answer.status == kv::ChargeStatus::not_admitted);
    if (amount == 0) return;
    note(answer.write, seen, key,
         {.value = std::string(kv::number_bytes(sum)),
          .expires_at_ms = is_there ? present->second.expires_at_ms : end});
  }

  void append(Transaction& transaction) {
    const std::string stream = below(3) == 0 ? "log" : "log.1";
    const std::string bytes =
        std::to_string(operations_) + std::string(static_cast<std::size_t>(below(300)), '.');
    ASSERT_EQ(transaction.append(stream, bytes), WriteStatus::ok);
    appended_[stream].push_back(bytes);
  }

  // A write is refused if and only if it does not fit.
  void note(WriteStatus status, Entries& seen, const std::string& key, Entry entry) {
    const kv::Limits& limits = store().limits();
    if (entry.value.size() > limits.max_value_bytes) {
      EXPECT_EQ(status, WriteStatus::value_too_large);
      return;
    }
    Entries with = seen;
    with[key] = std::move(entry);
    const kv::Usage usage = recount(with);
    const bool fits_here = usage.keys <= limits.max_keys_per_namespace &&
                           usage.bytes <= limits.max_bytes_per_namespace;
    if (!fits_here) {
      EXPECT_EQ(status, WriteStatus::namespace_full);
      ++refused_;
    } else if (status == WriteStatus::store_full) {
      expect_no_room(usage);
    } else {
      EXPECT_EQ(status, WriteStatus::ok);
      seen = std::move(with);
    }
  }

  // In the other namespace what has expired may still count.
  void expect_no_room(const kv::Usage& wanted) {
    ++refused_;
    const std::uint64_t others = store().total_usage().bytes - store().usage(space()).bytes;
    EXPECT_GT(wanted.bytes + others, store().limits().max_total_bytes);
  }

  void commit(Transaction& transaction, Entries seen) {
    std::promise<CommitStatus> answer;
    auto late = answer.get_future();
    auto status = transaction.commit([&](CommitStatus end) { answer.set_value(end); });
    if (status == CommitStatus::pending) status = late.get();
    if (is_overtaken(status == CommitStatus::conflict)) return;
    if (status == CommitStatus::full) return expect_no_room(recount(seen));
    ASSERT_EQ(status, CommitStatus::done);
    for (auto& [key, entry] : seen) {
      const auto before = model().find(key);
      if (before == model().end() || !(before->second == entry))
        entry.not_before = last_seen_.at(at_) + 1;
    }
    model() = std::move(seen);
    records_.at(at_) = appended_;
    EXPECT_LE(store().total_usage().bytes, store().limits().max_total_bytes);
  }

  void remove_expired() {
    while (store().remove_expired() != 0) {
    }
    for (Entries& entries : models_) drop_expired(entries, now_ms());
  }

  // Everything that is there, and a recount of it.
  void compare() {
    remove_expired();
    kv::Usage sum;
    for (std::size_t i = 0; i < kSpaces.size(); ++i) {
      kv::Namespace& space = **store().open(kSpaces.at(i));
      const kv::ScanPage page = store().scan(space, {});
      Entries found;
      for (const kv::Item& item : page.items) {
        found[item.key] = {.value = item.value, .expires_at_ms = item.expires_at_ms};
        EXPECT_GE(item.version, models_.at(i)[item.key].not_before);
        note_version(i, item.version);
      }
      ASSERT_TRUE(found == models_.at(i)) << kSpaces.at(i) << " is not what the map has";
      const kv::Usage counted = recount(models_.at(i));
      EXPECT_EQ(store().usage(space).keys, counted.keys);
      EXPECT_EQ(store().usage(space).bytes, counted.bytes);
      sum.keys += counted.keys;
      sum.bytes += counted.bytes;
    }
    compare_records();
    EXPECT_EQ(store().total_usage().keys, sum.keys);
    EXPECT_EQ(store().total_usage().bytes, sum.bytes);
    ++compared_;
  }

  void compare_records() {
    disk_.wait_until(kv::Safety::handed_over);
    for (std::size_t i = 0; i < kSpaces.size(); ++i)
      expect_records(store(), **store().open(kSpaces.at(i)), records_.at(i), random_);
  }

  Durability any_class() {
    return std::array{Durability::memory, Durability::relaxed, Durability::strict}.at(
        static_cast<std::size_t>(below(3)));
  }
  void change_class() {
    if (!GetParam().durability) store().prefer_durability(space(), any_class());
  }

  // Orderly or not; at another time of day; or on a backup.
  void reopen() {
    // Before an earlier time begins: what is only expired, and not removed, would live again.
    if (clock_.wall_ms() < now_ms()) remove_expired();
    for (std::size_t i = 0; i < kSpaces.size(); ++i) {
      if (store().durability(**store().open(kSpaces.at(i))) == Durability::memory) {
        models_.at(i).clear();
      }
    }
    const int how = below(4);
    if (how == 0) {
      const std::string copy = copies_.path() + "/" + std::to_string(++copied_);
      const auto done = store().backup(copy);
      ASSERT_TRUE(done) << done.error().message;
      disk_.options.directory = copy;
    }
    how == 1 ? disk_.abandon() : disk_.close();
    if (!GetParam().durability) disk_.durabilities.standard = any_class();
    if (how == 2) clock_.set_wall_ms(clock_.wall_ms() + below(200));
    disk_.open();
    jumped_ms_ = 0;
    ++reopened_;
    compare();
  }

  const unsigned seed_ = static_cast<unsigned>(number_from("HELIOS_SEED", std::random_device{}()));
  std::mt19937 random_{seed_};
  FakeClock clock_;
  std::int64_t jumped_ms_ = 0;  // by how much the wall clock has left the store's time behind
  DiskStore disk_{limits_of(GetParam()), clock_,
                  GetParam().durability.value_or(Durability::relaxed)};
  TemporaryFolder copies_;
  std::array<Entries, kSpaces.size()> models_;
  std::array<Records, kSpaces.size()> records_;
  Records appended_;  // with those of the present transaction
  std::size_t at_ = 0;
  std::array<kv::Version, kSpaces.size()> last_seen_{};
  unsigned long operations_ = 0;
  unsigned long refused_ = 0;
  unsigned long overtaken_ = 0;
  bool has_scanned_ = false;  // in the present transaction
  bool is_over_ = false;      // that one
  int copied_ = 0;
  int reopened_ = 0;
  int compared_ = 0;
};

TEST_P(Model, random_operations_are_what_a_map_would_hold) {
  const unsigned long wanted = number_from("HELIOS_OPERATIONS", 60'000) / kOptionSets.size();
  SCOPED_TRACE("HELIOS_SEED=" + std::to_string(seed_));
  while (operations_ < wanted && !HasFailure()) {
    SCOPED_TRACE("operation " + std::to_string(operations_));
    step();
  }
  reopen();
  std::cout << "seed " << seed_ << ": " << operations_ << " operations, " << refused_
            << " refused, " << overtaken_ << " transactions overtaken, " << reopened_
            << " reopens, " << compared_ << " recounts\n";
  EXPECT_EQ(refused_ > 0, GetParam().is_tight);
}

INSTANTIATE_TEST_SUITE_P(OptionSets, Model, testing::ValuesIn(kOptionSets),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace helios::test
