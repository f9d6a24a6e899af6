// SPDX-License-Identifier: Apache-2.0
#pragma once

// A store that never answers at once: the first read of every key, and the first scan, is not resident, every commit is
// pending, exclusivity is granted later. All answers come as tasks on an executor, so a test decides
// when (ManualExecutor) or has them come from another thread. What it stores is in a MemoryStore.
//
// A fetched key is resident until a transaction that read it commits, successfully or not: the next
// statement has to fetch again.

#include "base/clock.hpp"
#include "base/executor.hpp"
#include "kv/memory_store.hpp"
#include "kv/store.hpp"

#include <cstddef>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::test {

class PendingStore final : public kv::Store {
 public:
  // `clock` and `executor` outlive the store.
  PendingStore(const kv::Limits& limits, const base::Clock& clock, base::Executor& executor);

  // The store behind it, which answers at once: for looking at what was written, and for writing as
  // somebody else would. Namespaces and exclusivities of the two are the same objects.
  [[nodiscard]] kv::MemoryStore& inner() { return inner_; }

  // How often each call was answered late.
  struct Counts {
    std::size_t not_resident = 0;
    std::size_t fetches = 0;
    std::size_t pending_commits = 0;
  };
  [[nodiscard]] Counts counts() const;

  // Lets the next `count` commits end as `status` without writing anything.
  void fail_commits(std::size_t count, kv::CommitStatus status);

  [[nodiscard]] base::Result<kv::Namespace*> open(std::string_view name) override;
  [[nodiscard]] kv::Namespace* find(std::string_view name) override;
  [[nodiscard]] std::vector<kv::Namespace*> namespaces() override;
  [[nodiscard]] std::vector<kv::ScanPage> scan_ranges(
      kv::Namespace& space, std::span<const kv::ScanRange> ranges) override;
  [[nodiscard]] std::vector<kv::StreamInfo> streams(kv::Namespace& space) override {
    return inner_.streams(space);
  }
  [[nodiscard]] base::Result<kv::StreamPage> read_stream(kv::Namespace& space,
                                                         std::string_view stream,
                                                         const kv::StreamRange& range) override {
    return inner_.read_stream(space, stream, range);
  }
  [[nodiscard]] kv::Usage usage(kv::Namespace& space) override;
  [[nodiscard]] kv::Usage total_usage() override;
  [[nodiscard]] const kv::Limits& limits() const override { return inner_.limits(); }
  [[nodiscard]] std::int64_t now_ms() const override { return inner_.now_ms(); }
  [[nodiscard]] std::string health() const override { return {}; }
  void fetch(kv::Transaction& transaction, base::Task ready) override;
  void request_exclusive(kv::Namespace& space, kv::OnExclusive granted) override;

 private:
  using Key = std::pair<const kv::Namespace*, std::string>;  // the empty key stands for scans

  kv::ReadStatus read(kv::Transaction& transaction, std::string_view key, std::string& out,
                      kv::Stamp& stamp) override;
  kv::ReadStatus scan_keys(kv::Transaction& transaction, const kv::KeyRange& range,
                           kv::KeyPage& page) override;
  kv::WriteStatus admit(const kv::Transaction& transaction, std::string_view key,
                        std::uint64_t value_bytes) override;
  kv::WriteStatus admit_append(const kv::Transaction& transaction, std::string_view stream,
                               std::uint64_t bytes) override;
  kv::CommitStatus commit(kv::Transaction& transaction, kv::MakeOnCommit make_done) override;
  bool check_resident(const kv::Namespace& space, std::string_view key);
  void commit_now(kv::Transaction& transaction, kv::OnCommit done);
  bool take_planned_failure(kv::CommitStatus& status);
  void evict(const kv::Transaction& transaction);

  kv::MemoryStore inner_;
  base::Executor& executor_;
  mutable std::mutex mutex_;  // guards what follows
  std::set<Key> resident_;
  Counts counts_;
  std::size_t planned_failures_ = 0;
  kv::CommitStatus planned_status_ = kv::CommitStatus::failed;
};

}  // namespace helios::test
