// SPDX-License-Identifier: Apache-2.0
#include "support/disk_store.hpp"

#include <stdexcept>
#include <thread>

namespace helios::test {

DiskStore::DiskStore(const kv::Limits& limits, const base::Clock& clock, kv::Durability durability)
    : limits_(limits), clock_(clock) {
  options.directory = folder_.path() + "/state";
  durabilities.standard = durability;
}

DiskStore::~DiskStore() { abandon(); }

void DiskStore::open() {
  auto journal = kv::rocksdb::DiskJournal::open(options, clock_, log);
  if (!journal) throw std::runtime_error(journal.error().message);
  auto store = std::make_unique<kv::MemoryStore>(limits_, clock_);
  store->attach(**journal, durabilities);
  if (const auto recovered = (*journal)->recover(*store); !recovered) {
    throw std::runtime_error(recovered.error().message);
  }
  (*journal)->start();
  journal_ = *std::move(journal);
  store_ = std::move(store);
}

void DiskStore::close() {
  journal_->stop(store_->last_used_version());
  abandon();
}

void DiskStore::abandon() {
  journal_.reset();
  store_.reset();
}

void DiskStore::wait_until(kv::Safety safety) {
  for (;;) {
    const auto stats = journal_->stats();
    const kv::Ticket reached = safety == kv::Safety::on_disk ? stats.on_disk : stats.handed_over;
    if ((reached >= stats.transactions && stats.waiting == 0) || !journal_->is_writable()) return;
    std::this_thread::yield();
  }
}

}  // namespace helios::test
