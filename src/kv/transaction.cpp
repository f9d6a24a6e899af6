// SPDX-License-Identifier: Apache-2.0
#include "kv/transaction.hpp"

#include <cassert>

namespace helios::kv {
namespace {

// Storage that a reused transaction keeps; one that needed more gives all of it back.
constexpr std::size_t kMaxKeptRecords = 16;
constexpr std::uint64_t kMaxKeptBytes = 64 * 1024;

template <typename Record>
void forget(RecordList<Record>& records, std::uint64_t bytes) {
  if (records.size() > kMaxKeptRecords || bytes > kMaxKeptBytes) {
    records.release();
  } else {
    records.clear();
  }
}

}  // namespace

Transaction::Transaction(Store& store, Namespace& space, Exclusivity* exclusivity)
    : store_(store), space_(space), exclusivity_(exclusivity) {}

ReadStatus Transaction::get(std::string_view key, std::string_view& out) {
  out = {};
  if (ended_) return *ended_;
  if (const WriteRecord* write = writes_.find(key)) {
    out = write->value;
    return write->is_erase ? ReadStatus::absent : ReadStatus::value;
  }
  // Nothing is ever stored under such a key, so there is nothing to remember either.
  if (!may_be_key(key)) return ReadStatus::absent;

  const ReadRecord* seen = reads_.find(key);
  const std::uint64_t bytes = entry_bytes(key.size(), 0);
  if (seen == nullptr && !has_room_for(reads_.size(), bytes)) {
    return end_attempt(ReadStatus::failed);
  }
  turn_ ^= 1U;  // `key` may view what the last get() found
  std::string& value = values_[turn_];
  Version version = kAbsent;
  const ReadStatus status = store_.read(*this, key, value, version);
  if (status == ReadStatus::not_resident) missing_key_.assign(key);
  if (status != ReadStatus::value && status != ReadStatus::absent) return end_attempt(status);
  assert(seen == nullptr || seen->version == version);  // or the store should have said doomed
  if (seen == nullptr) {
    reads_.add([key, version](ReadRecord& record) {
      record.key.assign(key);
      record.version = version;
    });
    read_bytes_ += bytes;
  }
  if (status == ReadStatus::value) out = value;
  return status;
}

WriteStatus Transaction::set(std::string_view key, std::string_view value, ExpiryMs expires_at_ms) {
  const WriteStatus admitted = store_.admit(*this, key, value.size());
  if (admitted != WriteStatus::ok) return admitted;
  return put(
      key,
      [value, expires_at_ms](WriteRecord& write) {
        write.is_erase = false;
        write.value.assign(value);
        write.expires_at_ms = expires_at_ms;
        write.keeps_expiry = false;
      },
      value.size());
}

WriteStatus Transaction::update(std::string_view key, std::string_view value) {
  const WriteStatus admitted = store_.admit(*this, key, value.size());
  if (admitted != WriteStatus::ok) return admitted;
  const bool is_own =
      writes_.find(key) != nullptr;  // then it is that write that says when it expires
  return put(
      key,
      [value, is_own](WriteRecord& write) {
        write.value.assign(value);
        if (is_own) return;
        write.is_erase = false;
        write.expires_at_ms = kNeverExpires;
        write.keeps_expiry = true;
      },
      value.size());
}

WriteStatus Transaction::erase(std::string_view key) {
  if (!may_be_key(key)) return WriteStatus::invalid_key;
  return put(
      key,
      [](WriteRecord& write) {
        write.is_erase = true;
        write.value.clear();
        write.expires_at_ms = kNeverExpires;
        write.keeps_expiry = false;
      },
      0);
}

template <typename Fill>
WriteStatus Transaction::put(std::string_view key, Fill fill, std::uint64_t value_bytes) {
  WriteRecord* write = writes_.find(key);
  const std::uint64_t bytes = entry_bytes(key.size(), value_bytes);
  if (write != nullptr) {
    const std::uint64_t replaced = entry_bytes(key.size(), write->value.size());
    if (bytes > replaced && !has_room_for(0, bytes - replaced)) {
      return WriteStatus::transaction_too_large;
    }
    write_bytes_ = write_bytes_ - replaced + bytes;
    fill(*write);
    return WriteStatus::ok;
  }
  if (!has_room_for(writes_.size(), bytes)) return WriteStatus::transaction_too_large;
  write_bytes_ += bytes;
  writes_.add([key, &fill](WriteRecord& fresh) {
    fresh.key.assign(key);
    fill(fresh);
  });
  return WriteStatus::ok;
}

CommitStatus Transaction::commit(OnCommit done) {
  if (ended_) return *ended_ == ReadStatus::failed ? CommitStatus::failed : CommitStatus::conflict;
  if (reads_.size() == 0 && writes_.size() == 0) return CommitStatus::done;
  return store_.commit(*this, done);
}

void Transaction::reset() {
  snapshot_.reset();
  forget(reads_, read_bytes_);
  forget(writes_, write_bytes_);
  read_bytes_ = 0;
  write_bytes_ = 0;
  ended_.reset();
  missing_key_.clear();
  ticket_ = kNoTicket;
}

ReadStatus Transaction::end_attempt(ReadStatus status) {
  ended_ = status;
  return status;
}

bool Transaction::may_be_key(std::string_view key) const {
  return !key.empty() && key.size() <= store_.limits().max_key_bytes;
}

bool Transaction::has_room_for(std::uint64_t position, std::uint64_t bytes) const {
  const Limits& limits = store_.limits();
  return position < limits.max_transaction_records &&
         read_bytes_ + write_bytes_ + bytes <= limits.max_transaction_bytes;
}

}  // namespace helios::kv
