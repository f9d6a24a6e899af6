// SPDX-License-Identifier: Apache-2.0
#pragma once

// The contract of kv::Store as tests. An implementation runs them by instantiating StoreContract with
// a factory (stores.cpp) and linking the *_contract.cpp files.
//
// Tests must not assume that a store answers at once: reads go through get(), which fetches first
// what is not resident, and commits through commit() or start_commit().

#include "kv/store.hpp"
#include "kv/transaction.hpp"
#include "support/fake_clock.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace helios::test {

// One store and whatever it needs to live.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual kv::Store& store() = 0;
  // Lets everything happen that can happen without another call. Not from a callback.
  virtual void settle() = 0;
};

struct StoreFactory {
  std::string name;
  std::function<std::unique_ptr<StoreUnderTest>(const kv::Limits&, const base::Clock&)> make;
  // What tests do many times they do less often: every commit waits for a disk.
  bool is_slow = false;
};

// The answer to a commit, known at once or later.
class CommitAnswer {
 public:
  [[nodiscard]] bool is_known() const { return status_.has_value(); }
  [[nodiscard]] kv::CommitStatus status() const { return *status_; }
  [[nodiscard]] int times_called() const { return times_called_; }

 private:
  friend class StoreContract;
  std::optional<kv::CommitStatus> status_;
  int times_called_ = 0;
};

class StoreContract : public testing::TestWithParam<StoreFactory> {
 public:
  StoreContract() { make_store({}); }

  // Replaces the store by an empty one with these limits.
  void make_store(const kv::Limits& limits);

  kv::Store& store() { return under_test_->store(); }
  kv::Namespace& space() { return *space_; }
  void settle() { under_test_->settle(); }
  kv::Namespace& open(std::string_view name);

  // What `key` holds for `transaction`: the value, or "-" when absent, or "doomed", "failed".
  std::string get(kv::Transaction& transaction, std::string_view key);

  kv::ChargeAnswer charge(kv::Transaction& transaction, std::string_view key,
                          const kv::Charge& charge);

  // The keys of `range` as `transaction` sees them, with spaces between them, and "..." at the end when
  // there are more; or "doomed", "failed".
  std::string keys_of(kv::Transaction& transaction, const kv::KeyRange& range = {});

  kv::CommitStatus commit(kv::Transaction& transaction);
  std::unique_ptr<CommitAnswer> start_commit(kv::Transaction& transaction);

  // Each of these is a transaction of its own in space(), which must succeed.
  void put(std::string_view key, std::string_view value,
           kv::ExpiryMs expires_at_ms = kv::kNeverExpires);
  void remove(std::string_view key);
  std::string committed(std::string_view key);

  // The live entry of `key`; nullopt when there is none.
  std::optional<kv::Item> item(std::string_view key);

  // Both wait for the late answer. Any thread.
  static kv::CommitStatus commit_and_wait(kv::Transaction& transaction);
  void fetch_and_wait(kv::Transaction& transaction);

  // Runs `body` in fresh attempts until one commits. `body` returns false to end an attempt that a
  // read has ended, and calls nothing of this fixture. Any thread.
  void transact(kv::Namespace& space, const std::function<bool(kv::Transaction&)>& body,
                kv::Exclusivity* exclusivity = nullptr);

  // Expects usage() to be what a walk over all entries of `space` adds up to.
  void expect_usage_is_recount(kv::Namespace& space);

  FakeClock clock_;

 private:
  void make_resident(kv::Namespace& space, std::string_view key);

  std::unique_ptr<StoreUnderTest> under_test_;
  kv::Namespace* space_ = nullptr;
};

}  // namespace helios::test
