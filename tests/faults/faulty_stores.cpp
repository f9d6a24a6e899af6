// SPDX-License-Identifier: Apache-2.0
#include "faults/faulty_stores.hpp"

#include "kv/transaction.hpp"

namespace helios::test {

base::Result<kv::Namespace*> ForwardingStore::open(std::string_view name) {
  return inner_->open(name);
}

kv::Namespace* ForwardingStore::find(std::string_view name) { return inner_->find(name); }

std::vector<kv::Namespace*> ForwardingStore::namespaces() { return inner_->namespaces(); }

std::vector<kv::ScanPage> ForwardingStore::scan_ranges(kv::Namespace& space,
                                                       std::span<const kv::ScanRange> ranges) {
  return inner_->scan_ranges(space, ranges);
}

kv::Usage ForwardingStore::usage(kv::Namespace& space) { return inner_->usage(space); }

kv::Usage ForwardingStore::total_usage() { return inner_->total_usage(); }

const kv::Limits& ForwardingStore::limits() const { return inner_->limits(); }

std::string ForwardingStore::health() const { return inner_->health(); }

void ForwardingStore::fetch(kv::Transaction& transaction, base::Task ready) {
  inner_->fetch(transaction, std::move(ready));
}

void ForwardingStore::request_exclusive(kv::Namespace& space, kv::OnExclusive granted) {
  inner_->request_exclusive(space, std::move(granted));
}

kv::ReadStatus ForwardingStore::read(kv::Transaction& transaction, std::string_view key,
                                     std::string& out, kv::Stamp& stamp) {
  return read_from(*inner_, transaction, key, out, stamp);
}

kv::ReadStatus ForwardingStore::scan_keys(kv::Transaction& transaction, const kv::KeyRange& range,
                                          kv::KeyPage& page) {
  return scan_from(*inner_, transaction, range, page);
}

kv::WriteStatus ForwardingStore::admit(const kv::Transaction& transaction, std::string_view key,
                                       std::uint64_t value_bytes) {
  return admit_by(*inner_, transaction, key, value_bytes);
}

kv::WriteStatus ForwardingStore::admit_append(const kv::Transaction& transaction,
                                              std::string_view stream, std::uint64_t bytes) {
  return admit_append_by(*inner_, transaction, stream, bytes);
}

kv::CommitStatus ForwardingStore::commit(kv::Transaction& transaction, kv::MakeOnCommit make_done) {
  return commit_to(*inner_, transaction, make_done);
}

SharedNamespaceStore::SharedNamespaceStore(std::unique_ptr<kv::Store> inner)
    : ForwardingStore(std::move(inner)), shared_(*ForwardingStore::open("shared").value()) {}

std::vector<kv::Namespace*> SharedNamespaceStore::namespaces() {
  auto all = ForwardingStore::namespaces();
  std::erase(all, &shared_);
  return all;
}

std::vector<kv::ScanPage> SharedNamespaceStore::scan_ranges(kv::Namespace&,
                                                            std::span<const kv::ScanRange> ranges) {
  return ForwardingStore::scan_ranges(shared_, ranges);
}

kv::ReadStatus SharedNamespaceStore::read(kv::Transaction&, std::string_view key, std::string& out,
                                          kv::Stamp& stamp) {
  kv::Transaction repeated(inner(), shared_);
  std::string_view value;
  const kv::ReadStatus status = repeated.get(key, value);
  if (status == kv::ReadStatus::value) out = value;
  stamp = {.version = repeated.reads()[0].version,
           .expires_at_ms = repeated.reads()[0].expires_at_ms};
  return status;
}

kv::ReadStatus SharedNamespaceStore::scan_keys(kv::Transaction& transaction,
                                               const kv::KeyRange& range, kv::KeyPage& page) {
  kv::Transaction repeated(inner(), shared_);
  const kv::ReadStatus status = repeated.scan(range, page);
  if (repeated.structure()) transaction.note_structure(*repeated.structure());
  return status;
}

kv::CommitStatus SharedNamespaceStore::commit(kv::Transaction& transaction,
                                              kv::MakeOnCommit make_done) {
  kv::Transaction repeated(inner(), shared_);
  if (transaction.structure()) {
    kv::KeyPage page;
    static_cast<void>(repeated.scan({.max_items = 1}, page));
    if (repeated.structure() != transaction.structure()) return kv::CommitStatus::conflict;
  }
  for (const kv::ReadRecord& read : transaction.reads()) {
    std::string_view value;
    static_cast<void>(repeated.get(read.key, value));
    if (repeated.reads()[repeated.reads().size() - 1].version != read.version) {
      return kv::CommitStatus::conflict;
    }
  }
  for (const kv::WriteRecord& write : transaction.writes()) {
    const auto status = write.is_erase ? repeated.erase(write.key)
                                       : repeated.set(write.key, write.value, write.expires_at_ms);
    if (status != kv::WriteStatus::ok) return kv::CommitStatus::full;
  }
  return repeated.commit_or_make(make_done);
}

kv::ReadStatus StaleWriteStore::read(kv::Transaction& transaction, std::string_view key,
                                     std::string& out, kv::Stamp& stamp) {
  const kv::ReadStatus status = ForwardingStore::read(transaction, key, out, stamp);
  const std::scoped_lock lock(mutex_);
  History& history = histories_[Key(&transaction.space(), key)];
  const bool is_stale = ++history.reads % 4 == 0 && history.before;
  if (status == kv::ReadStatus::value && is_stale) out = *history.before;
  return status;
}

kv::CommitStatus StaleWriteStore::commit(kv::Transaction& transaction, kv::MakeOnCommit make_done) {
  const kv::CommitStatus status = ForwardingStore::commit(transaction, make_done);
  if (status != kv::CommitStatus::done) return status;
  const std::scoped_lock lock(mutex_);
  for (const kv::WriteRecord& write : transaction.writes()) {
    History& history = histories_[Key(&transaction.space(), write.key)];
    history.before = std::move(history.present);
    history.present.reset();
    if (!write.is_erase) history.present = write.value;
  }
  return status;
}

}  // namespace helios::test
