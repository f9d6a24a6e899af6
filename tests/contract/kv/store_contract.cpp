// SPDX-License-Identifier: Apache-2.0
#include "store_contract.hpp"

#include <future>
#include <stdexcept>
#include <utility>

namespace helios::test {

void StoreContract::make_store(const kv::Limits& limits) {
  under_test_ = GetParam().make(limits, clock_);
  space_ = &open("subject");
}

kv::Namespace& StoreContract::open(std::string_view name) {
  const base::Result<kv::Namespace*> opened = store().open(name);
  if (!opened) throw std::runtime_error(opened.error().message);
  return **opened;
}

void StoreContract::make_resident(kv::Namespace& space, std::string_view key) {
  kv::Transaction scout(store(), space);
  std::string_view ignored;
  if (scout.get(key, ignored) != kv::ReadStatus::not_resident) return;
  bool is_ready = false;
  store().fetch(scout, [&is_ready] { is_ready = true; });
  settle();
  EXPECT_TRUE(is_ready);
}

std::string StoreContract::get(kv::Transaction& transaction, std::string_view key) {
  make_resident(transaction.space(), key);
  std::string_view value;
  switch (transaction.get(key, value)) {
    case kv::ReadStatus::value: return std::string(value);
    case kv::ReadStatus::absent: return "-";
    case kv::ReadStatus::not_resident: return "not resident";
    case kv::ReadStatus::doomed: return "doomed";
    case kv::ReadStatus::failed: return "failed";
  }
  return "";
}

kv::ChargeAnswer StoreContract::charge(kv::Transaction& transaction, std::string_view key,
                                       const kv::Charge& charge) {
  make_resident(transaction.space(), key);
  return transaction.charge(key, charge);
}

std::string StoreContract::keys_of(kv::Transaction& transaction, const kv::KeyRange& range) {
  kv::KeyPage page;
  {
    kv::Transaction scout(store(), transaction.space());
    if (scout.scan(range, page) == kv::ReadStatus::not_resident) {
      store().fetch(scout, [] {});
      settle();
    }
  }
  switch (transaction.scan(range, page)) {
    case kv::ReadStatus::value: break;
    case kv::ReadStatus::absent: return "absent";
    case kv::ReadStatus::not_resident: return "not resident";
    case kv::ReadStatus::doomed: return "doomed";
    case kv::ReadStatus::failed: return "failed";
  }
  std::string all;
  for (const kv::KeyItem& item : page.items) all += (all.empty() ? "" : " ") + item.key;
  return page.complete ? all : all + " ...";
}

std::unique_ptr<CommitAnswer> StoreContract::start_commit(kv::Transaction& transaction) {
  auto answer = std::make_unique<CommitAnswer>();
  const kv::CommitStatus status =
      transaction.commit([known = answer.get()](kv::CommitStatus final) {
        known->status_ = final;
        ++known->times_called_;
      });
  if (status != kv::CommitStatus::pending) {
    EXPECT_EQ(answer->times_called_, 0) << "called although the answer was known at once";
    answer->status_ = status;
  }
  settle();
  return answer;
}

kv::CommitStatus StoreContract::commit(kv::Transaction& transaction) {
  const std::unique_ptr<CommitAnswer> answer = start_commit(transaction);
  EXPECT_TRUE(answer->is_known());
  return answer->is_known() ? answer->status() : kv::CommitStatus::pending;
}

void StoreContract::put(std::string_view key, std::string_view value, kv::ExpiryMs expires_at_ms) {
  kv::Transaction transaction(store(), space());
  EXPECT_EQ(transaction.set(key, value, expires_at_ms), kv::WriteStatus::ok);
  EXPECT_EQ(commit(transaction), kv::CommitStatus::done);
}

void StoreContract::remove(std::string_view key) {
  kv::Transaction transaction(store(), space());
  EXPECT_EQ(transaction.erase(key), kv::WriteStatus::ok);
  EXPECT_EQ(commit(transaction), kv::CommitStatus::done);
}

std::string StoreContract::committed(std::string_view key) {
  kv::Transaction transaction(store(), space());
  return get(transaction, key);
}

std::optional<kv::Item> StoreContract::item(std::string_view key) {
  const kv::ScanPage page = store().scan(space(), {.prefix = key, .max_items = 1});
  if (page.items.empty() || page.items[0].key != key) return std::nullopt;
  return page.items[0];
}

kv::CommitStatus StoreContract::commit_and_wait(kv::Transaction& transaction) {
  std::promise<kv::CommitStatus> answer;
  std::future<kv::CommitStatus> late = answer.get_future();
  const kv::CommitStatus status = transaction.commit(
      [answer = std::move(answer)](kv::CommitStatus final) mutable { answer.set_value(final); });
  return status == kv::CommitStatus::pending ? late.get() : status;
}

void StoreContract::fetch_and_wait(kv::Transaction& transaction) {
  std::promise<void> is_ready;
  std::future<void> late = is_ready.get_future();
  store().fetch(transaction, [is_ready = std::move(is_ready)]() mutable { is_ready.set_value(); });
  late.get();
}

void StoreContract::transact(kv::Namespace& space,
                             const std::function<bool(kv::Transaction&)>& body,
                             kv::Exclusivity* exclusivity) {
  kv::Transaction transaction(store(), space, exclusivity);
  for (;; transaction.reset()) {
    if (body(transaction)) {
      const kv::CommitStatus status = commit_and_wait(transaction);
      if (status == kv::CommitStatus::done) return;
      ASSERT_EQ(status, kv::CommitStatus::conflict);
    } else if (transaction.needs_fetch()) {
      fetch_and_wait(transaction);
    }
  }
}

void StoreContract::expect_usage_is_recount(kv::Namespace& space) {
  const kv::ScanPage page =
      store().scan(space, {.max_items = 1'000'000, .max_bytes = 1'000'000'000});
  ASSERT_TRUE(page.complete);
  kv::Usage counted;
  for (const kv::Item& item : page.items) {
    counted.keys += 1;
    counted.bytes += kv::entry_bytes(item.key.size(), item.value.size());
  }
  EXPECT_EQ(store().usage(space).keys, counted.keys);
  EXPECT_EQ(store().usage(space).bytes, counted.bytes);
}

}  // namespace helios::test
