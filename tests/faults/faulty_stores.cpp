// SPDX-License-Identifier: Apache-2.0
#include "faults/faulty_stores.hpp"

#include "kv/transaction.hpp"

namespace helios::test {

base::Result<kv::Namespace*> ForwardingStore::open(std::string_view name) {
  return inner_->open(name);
}

kv::Namespace* ForwardingStore::find(std::string_view name) { return inner_->find(name); }

std::vector<kv::Namespace*> ForwardingStore::namespaces() { return inner_->namespaces(); }

kv::ScanPage ForwardingStore::scan(kv::Namespace& space, const kv::ScanRange& range) {
  return inner_->scan(space, range);
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
                                     std::string& out, kv::Version& version) {
  return read_from(*inner_, transaction, key, out, version);
}

kv::WriteStatus ForwardingStore::admit(const kv::Transaction& transaction, std::string_view key,
                                       std::uint64_t value_bytes) {
  return admit_by(*inner_, transaction, key, value_bytes);
}

kv::CommitStatus ForwardingStore::commit(kv::Transaction& transaction, kv::OnCommit& done) {
  return commit_to(*inner_, transaction, done);
}

base::Result<kv::Namespace*> SharedNamespaceStore::open(std::string_view) {
  return ForwardingStore::open("shared");
}

kv::Namespace* SharedNamespaceStore::find(std::string_view) {
  return ForwardingStore::find("shared");
}

kv::ReadStatus StaleReadStore::read(kv::Transaction& transaction, std::string_view key,
                                    std::string& out, kv::Version& version) {
  const kv::ReadStatus status = ForwardingStore::read(transaction, key, out, version);
  const std::scoped_lock lock(mutex_);
  History& history = histories_[Key(&transaction.space(), key)];
  const bool is_stale = ++history.reads % 4 == 0 && history.before;
  if (status == kv::ReadStatus::value && is_stale) out = *history.before;
  return status;
}

kv::CommitStatus StaleReadStore::commit(kv::Transaction& transaction, kv::OnCommit& done) {
  const kv::CommitStatus status = ForwardingStore::commit(transaction, done);
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
