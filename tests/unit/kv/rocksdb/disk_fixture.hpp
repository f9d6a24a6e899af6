// SPDX-License-Identifier: Apache-2.0
#pragma once

// A store on disk with one namespace to work in, and single transactions in one line.

#include "kv/transaction.hpp"
#include "support/disk_store.hpp"
#include "support/fake_clock.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <future>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

namespace helios::test {

// HELIOS_FAULTS=all: at every place, and not at some of them.
inline bool tries_all() {
  const char* wanted = std::getenv("HELIOS_FAULTS");
  return wanted != nullptr && std::string_view(wanted) == "all";
}

class DiskFixture : public testing::Test {
 protected:
  kv::MemoryStore& store() { return disk_.store(); }
  kv::Namespace& space(std::string_view name = "subject") { return **store().open(name); }

  void reopen() {
    disk_.close();
    disk_.open();
  }

  // Waits where the answer is pending.
  kv::CommitStatus commit(kv::Transaction& transaction) {
    std::promise<kv::CommitStatus> answer;
    auto late = answer.get_future();
    const auto status = transaction.commit([&](kv::CommitStatus end) { answer.set_value(end); });
    return status == kv::CommitStatus::pending ? late.get() : status;
  }

  kv::CommitStatus put(std::string_view key, std::string_view value,
                       kv::ExpiryMs expires_at_ms = kv::kNeverExpires,
                       std::string_view name = "subject") {
    kv::Transaction transaction(store(), space(name));
    EXPECT_EQ(transaction.set(key, value, expires_at_ms), kv::WriteStatus::ok);
    return commit(transaction);
  }

  kv::CommitStatus erase(std::string_view key) {
    kv::Transaction transaction(store(), space());
    EXPECT_EQ(transaction.erase(key), kv::WriteStatus::ok);
    return commit(transaction);
  }

  std::map<std::string, std::string> content(std::string_view name = "subject") {
    std::map<std::string, std::string> all;
    const auto page = store().scan(space(name), {.max_items = 1'000'000, .max_bytes = 1 << 30});
    for (const kv::Item& item : page.items) all[item.key] = item.value;
    return all;
  }

  kv::Item item(std::string_view key) {
    const auto page = store().scan(space(), {.prefix = key, .max_items = 1});
    if (page.items.empty()) throw std::runtime_error("no such key");
    return page.items[0];
  }

  // The message of an open() that fails; empty when it succeeds.
  std::string complaint() {
    try {
      disk_.open();
      return {};
    } catch (const std::runtime_error& error) {
      return error.what();
    }
  }

  FakeClock clock_;
  DiskStore disk_{{}, clock_, kv::Durability::relaxed};
};

using Content = std::map<std::string, std::string>;

}  // namespace helios::test
