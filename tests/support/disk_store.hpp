// SPDX-License-Identifier: Apache-2.0
#pragma once

// A store with a journal in a folder of its own, which can be closed and opened again.

#include "kv/memory_store.hpp"
#include "kv/rocksdb/disk_journal.hpp"
#include "support/capture_log.hpp"
#include "support/temporary_folder.hpp"

#include <memory>
#include <string>

namespace helios::test {

// Thread rule: open(), close() from one thread, while nobody uses the store.
class DiskStore {
 public:
  // `clock` outlives it.
  DiskStore(const kv::Limits& limits, const base::Clock& clock, kv::Durability durability);
  ~DiskStore();

  // Both throw std::runtime_error with the message of what failed.
  void open();
  void close();  // orderly
  // Without the orderly end; what waits is written all the same.
  void abandon();

  [[nodiscard]] kv::MemoryStore& store() { return *store_; }
  [[nodiscard]] kv::rocksdb::DiskJournal& journal() { return *journal_; }
  // Returns when everything committed so far is that safe.
  void wait_until(kv::Safety safety);

  kv::rocksdb::DiskJournalOptions options;  // of the next open()
  kv::Durabilities durabilities;
  CaptureLog log;

 private:
  TemporaryFolder folder_;
  const kv::Limits limits_;
  const base::Clock& clock_;
  std::unique_ptr<kv::rocksdb::DiskJournal> journal_;
  std::unique_ptr<kv::MemoryStore> store_;
};

}  // namespace helios::test
