// SPDX-License-Identifier: Apache-2.0
#include "support/pending_store.hpp"

#include "kv/transaction.hpp"

#include <memory>

namespace helios::test {

PendingStore::PendingStore(const kv::Limits& limits, const base::Clock& clock,
                           base::Executor& executor)
    : inner_(limits, clock), executor_(executor) {}

PendingStore::Counts PendingStore::counts() const {
  const std::scoped_lock lock(mutex_);
  return counts_;
}

void PendingStore::fail_commits(std::size_t count, kv::CommitStatus status) {
  const std::scoped_lock lock(mutex_);
  planned_failures_ = count;
  planned_status_ = status;
}

base::Result<kv::Namespace*> PendingStore::open(std::string_view name) { return inner_.open(name); }

kv::Namespace* PendingStore::find(std::string_view name) { return inner_.find(name); }

std::vector<kv::Namespace*> PendingStore::namespaces() { return inner_.namespaces(); }

std::vector<kv::ScanPage> PendingStore::scan_ranges(kv::Namespace& space,
                                                    std::span<const kv::ScanRange> ranges) {
  return inner_.scan_ranges(space, ranges);
}

kv::Usage PendingStore::usage(kv::Namespace& space) { return inner_.usage(space); }

kv::Usage PendingStore::total_usage() { return inner_.total_usage(); }

void PendingStore::fetch(kv::Transaction& transaction, base::Task ready) {
  {
    const std::scoped_lock lock(mutex_);
    ++counts_.fetches;
  }
  Key key(&transaction.space(), transaction.missing_key());
  executor_.post([this, key = std::move(key), ready = std::move(ready)]() mutable {
    {
      const std::scoped_lock lock(mutex_);
      resident_.insert(std::move(key));
    }
    ready();
  });
}

void PendingStore::request_exclusive(kv::Namespace& space, kv::OnExclusive granted) {
  auto later = [this,
                granted = std::move(granted)](std::unique_ptr<kv::Exclusivity> lease) mutable {
    executor_.post([granted = std::move(granted), lease = std::move(lease)]() mutable {
      granted(std::move(lease));
    });
  };
  inner_.request_exclusive(space, std::move(later));
}

kv::ReadStatus PendingStore::read(kv::Transaction& transaction, std::string_view key,
                                  std::string& out, kv::Stamp& stamp) {
  if (!check_resident(transaction.space(), key)) return kv::ReadStatus::not_resident;
  return read_from(inner_, transaction, key, out, stamp);
}

kv::ReadStatus PendingStore::scan_keys(kv::Transaction& transaction, const kv::KeyRange& range,
                                       kv::KeyPage& page) {
  if (!check_resident(transaction.space(), {})) return kv::ReadStatus::not_resident;
  return scan_from(inner_, transaction, range, page);
}

bool PendingStore::check_resident(const kv::Namespace& space, std::string_view key) {
  const std::scoped_lock lock(mutex_);
  if (resident_.contains(Key(&space, key))) return true;
  ++counts_.not_resident;
  return false;
}

kv::WriteStatus PendingStore::admit(const kv::Transaction& transaction, std::string_view key,
                                    std::uint64_t value_bytes) {
  return admit_by(inner_, transaction, key, value_bytes);
}

kv::WriteStatus PendingStore::admit_append(const kv::Transaction& transaction,
                                           std::string_view stream, std::uint64_t bytes) {
  return admit_append_by(inner_, transaction, stream, bytes);
}

kv::CommitStatus PendingStore::commit(kv::Transaction& transaction, kv::MakeOnCommit make_done) {
  {
    const std::scoped_lock lock(mutex_);
    ++counts_.pending_commits;
  }
  executor_.post([this, &transaction, done = make_done()]() mutable {
    commit_now(transaction, std::move(done));
  });
  return kv::CommitStatus::pending;
}

void PendingStore::commit_now(kv::Transaction& transaction, kv::OnCommit done) {
  evict(transaction);
  kv::CommitStatus status = kv::CommitStatus::failed;
  if (!take_planned_failure(status))
    status = commit_to(inner_, transaction, [&done] { return std::move(done); });
  if (status != kv::CommitStatus::pending) done(status);
}

bool PendingStore::take_planned_failure(kv::CommitStatus& status) {
  const std::scoped_lock lock(mutex_);
  if (planned_failures_ == 0) return false;
  --planned_failures_;
  status = planned_status_;
  return true;
}

void PendingStore::evict(const kv::Transaction& transaction) {
  const std::scoped_lock lock(mutex_);
  for (const kv::ReadRecord& read : transaction.reads()) {
    resident_.erase(Key(&transaction.space(), read.key));
  }
  for (const kv::ChargeRecord& charge : transaction.charges()) {
    resident_.erase(Key(&transaction.space(), charge.key));
  }
  if (transaction.structure()) resident_.erase(Key(&transaction.space(), {}));
}

}  // namespace helios::test
