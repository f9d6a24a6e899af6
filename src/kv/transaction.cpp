// SPDX-License-Identifier: Apache-2.0
#include "kv/transaction.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace helios::kv {
namespace {

// Storage that a reused transaction keeps; one that needed more gives all of it back.
constexpr std::size_t kMaxKeptRecords = 16;
constexpr std::uint64_t kMaxKeptBytes = 64 * 1024;

template <typename List>
void forget(List& records, std::uint64_t bytes) {
  if (records.size() > kMaxKeptRecords || bytes > kMaxKeptBytes) {
    records.release();
  } else {
    records.clear();
  }
}

}  // namespace

Transaction::Transaction(Store& store, Namespace& space, Exclusivity* exclusivity)
    : store_(store), space_(space), exclusivity_(exclusivity), limits_(&store.limits()) {}

ReadStatus Transaction::get(std::string_view key, std::string_view& out) {
  Found found;
  const ReadStatus status = find(key, found);
  out = found.value;
  return status;
}

ReadStatus Transaction::find(std::string_view key, Found& out) {
  out = {};
  if (ended_) return *ended_;
  if (ChargeRecord* const open = open_charge(key))
    if (read_charged(*open) != ReadStatus::value) return *ended_;
  if (const WriteRecord* write = writes_.find(key)) {
    if (write->is_erase) return ReadStatus::absent;
    out = {.value = write->value,
           .stamp = {.version = kOwnWrite, .expires_at_ms = write->expires_at_ms}};
    return ReadStatus::value;
  }
  // Nothing is ever stored under such a key, so there is nothing to remember either.
  if (!may_be_key(key)) return ReadStatus::absent;

  const ReadRecord* const seen = reads_.find(key);
  if (seen == nullptr && !has_room_for_read(key)) return end_attempt(ReadStatus::failed);
  turn_ ^= 1U;  // `key` may view what the last get() found
  std::string& value = values_[turn_];
  Stamp stamp;
  const ReadStatus status = store_.read(*this, key, value, stamp);
  if (status == ReadStatus::not_resident) missing_key_.assign(key);
  if (status != ReadStatus::value && status != ReadStatus::absent) return end_attempt(status);
  assert(seen == nullptr ||
         seen->version == stamp.version);  // or the store should have said doomed
  if (seen == nullptr) note_read(key, stamp);
  if (status == ReadStatus::value) out = {.value = value, .stamp = stamp};
  return status;
}

void Transaction::note_read(std::string_view key, const Stamp& stamp) {
  reads_.add([key, &stamp](ReadRecord& record) {
    record.key.assign(key);
    record.version = stamp.version;
    record.expires_at_ms = stamp.expires_at_ms;
  });
  read_bytes_ += entry_bytes(key.size(), 0);
}

std::vector<const WriteRecord*> Transaction::own_writes_in(const KeyRange& range) const {
  std::vector<const WriteRecord*> own;
  for (const WriteRecord& write : writes_.view())
    if (range.covers(write.key)) own.push_back(&write);
  std::ranges::sort(own, {},
                    [](const WriteRecord* write) -> const std::string& { return write->key; });
  return own;
}

ReadStatus Transaction::scan(const KeyRange& range, KeyPage& out) {
  out = {};
  if (ended_ || read_charged_in(range) != ReadStatus::value) return *ended_;
  const std::vector<const WriteRecord*> own = own_writes_in(range);
  auto write = own.begin();
  KeyPage page{.items = {}, .complete = false};  // of what is committed
  std::size_t next = 0;
  std::uint64_t bytes = 0;
  std::string last(range.after);
  for (;;) {
    if (next == page.items.size() && !page.complete) {
      KeyRange rest = range;
      rest.after = last;
      page = {};
      next = 0;
      const ReadStatus status = store_.scan_keys(*this, rest, page);
      if (status != ReadStatus::value) return end_attempt(status);
    }
    KeyItem* const item = next < page.items.size() ? &page.items[next] : nullptr;
    const bool is_own = write != own.end() && (item == nullptr || (*write)->key <= item->key);
    if (item == nullptr && !is_own) {
      out.complete = page.complete;
      return ReadStatus::value;
    }
    const std::string& key = is_own ? (*write)->key : item->key;
    const bool hides = is_own && item != nullptr && item->key == key;
    if (!is_own || !(*write)->is_erase) {
      bytes += range.bytes_per_item + key.size();
      if (out.items.size() >= range.max_items || bytes > range.max_bytes) {
        out.complete = false;
        return ReadStatus::value;
      }
      const Stamp own_stamp{.version = kOwnWrite,
                            .expires_at_ms = is_own ? (*write)->expires_at_ms : 0};
      const KeyItem shown = is_own ? KeyItem{key, (*write)->value.size(), own_stamp} : *item;
      if (!is_own && reads_.find(key) == nullptr) {
        if (!has_room_for_read(key)) return end_attempt(ReadStatus::failed);
        note_read(key, item->stamp);
      }
      out.items.push_back(shown);
    }
    last = key;
    if (is_own) ++write;
    if (!is_own || hides) ++next;
  }
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
  const ReadRecord* seen = is_own ? nullptr : reads_.find(key);
  return put(
      key,
      [value, is_own, seen](WriteRecord& write) {
        write.value.assign(value);
        if (is_own) return;
        write.is_erase = false;
        write.expires_at_ms = seen == nullptr ? kNeverExpires : seen->expires_at_ms;
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

WriteStatus Transaction::append(std::string_view stream, std::string_view bytes, Reserve reserve) {
  if (reserve == Reserve::leave) leaves_reserve_ = true;
  const WriteStatus admitted = store_.admit_append(*this, stream, bytes.size());
  if (admitted != WriteStatus::ok) return admitted;
  const std::uint64_t counted = record_bytes(bytes.size());
  if (!has_room_for(appends_.size(), counted)) return WriteStatus::transaction_too_large;
  appends_.add(stream, bytes);
  append_bytes_ += counted;
  return WriteStatus::ok;
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
  if (ChargeRecord* const open = open_charge(key)) open->state = ChargeRecord::State::overwritten;
  writes_.add([key, &fill](WriteRecord& fresh) {
    fresh.key.assign(key);
    fill(fresh);
  });
  return WriteStatus::ok;
}

CommitStatus Transaction::commit(OnCommit done) {
  return commit_or_make([&done] { return std::move(done); });
}

CommitStatus Transaction::commit_or_make(MakeOnCommit make_done) {
  if (ended_) return *ended_ == ReadStatus::failed ? CommitStatus::failed : CommitStatus::conflict;
  if (has_read_nothing() && !has_changes()) return CommitStatus::done;
  return store_.commit(*this, make_done);
}

std::int64_t Transaction::now_ms() const {
  return snapshot_ && as_of_ms_ != kTimeless ? as_of_ms_ : store_.now_ms();
}

void Transaction::reset() {
  limits_ = &store_.limits();
  snapshot_.reset();
  structure_.reset();
  forget(charges_, read_bytes_);
  forget(reads_, read_bytes_);
  forget(writes_, write_bytes_);
  forget(appends_, append_bytes_);
  read_bytes_ = 0;
  write_bytes_ = 0;
  append_bytes_ = 0;
  charge_steps_ = 0;
  leaves_reserve_ = false;
  has_effective_charges_ = false;
  ended_.reset();
  missing_key_.clear();
  ticket_ = kNoTicket;
}

ReadStatus Transaction::end_attempt(ReadStatus status) {
  ended_ = status;
  return status;
}

bool Transaction::may_be_key(std::string_view key) const {
  return !key.empty() && key.size() <= limits_->max_key_bytes;
}

bool Transaction::has_room_for_read(std::string_view key) const {
  return has_room_for(reads_.size(), entry_bytes(key.size(), 0));
}

bool Transaction::has_room_for(std::uint64_t position, std::uint64_t bytes) const {
  return position < limits_->max_transaction_records &&
         read_bytes_ + write_bytes_ + append_bytes_ + bytes <= limits_->max_transaction_bytes;
}

}  // namespace helios::kv
