// SPDX-License-Identifier: Apache-2.0
#pragma once

// One attempt to read and write one namespace as a whole. See store.hpp for the contract.
//
// Flow: 1 construct (or reset()); 2 get/set/erase/append in any order; 3 commit() once, or drop it: a
// transaction that is destroyed or reset without commit() never happened. After ReadStatus::doomed,
// not_resident or failed the attempt is over; only fetch(), reset() and destruction make sense (get()
// repeats the status, commit() answers conflict or failed).
//
// What it reads is consistent: all reads hold at one instant, also in an attempt that is doomed.
//
// Memory: bounded by Limits::max_transaction_*. Keeps its buffers across reset(), so a reused
// Transaction stops allocating; after an unusually large attempt it gives them back.

#include "kv/append_list.hpp"
#include "kv/charge.hpp"
#include "kv/record_list.hpp"
#include "kv/store.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace helios::kv {

struct ReadRecord {
  std::string key;
  Version version = kAbsent;  // as seen; kAbsent when there was nothing
  ExpiryMs expires_at_ms = kNeverExpires;
};

struct WriteRecord {
  std::string key;
  bool is_erase = false;
  std::string value = {};                  // of no meaning when is_erase
  ExpiryMs expires_at_ms = kNeverExpires;  // with keeps_expiry: the time it was seen to have
  // The entry keeps the time it has, and is not made: one that has expired meanwhile stays away.
  bool keeps_expiry = false;
};

// The time of a snapshot of a namespace in which nothing expires: no entry is expired at that time.
inline constexpr std::int64_t kTimeless = std::numeric_limits<std::int64_t>::min();

// Whether an append may use the room that is kept free for records of what has begun already (a sixteenth of
// max_stream_bytes, 64 MiB at most). Whoever decides whether something may begin leaves it, so that the end of all that
// he let begin can be recorded.
enum class Reserve { use, leave };

// A value as a transaction sees it.
struct Found {
  std::string_view value;
  Stamp stamp;  // version is kOwnWrite of what the transaction has written itself
};

class Transaction {
 public:
  // With `exclusivity`, the transaction commits under it (see Exclusivity) and is not held up by it.
  // Requires: `exclusivity` belongs to `space` and outlives the commit.
  Transaction(Store& store, Namespace& space, Exclusivity* exclusivity = nullptr);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // The value of `key` as this transaction sees it: its own write, else the committed one.
  // On ReadStatus::value, `out` views the value until the next call on this transaction has returned
  // (so it may be an argument of that call).
  [[nodiscard]] ReadStatus get(std::string_view key, std::string_view& out);
  // The same, with version and expiry.
  [[nodiscard]] ReadStatus find(std::string_view key, Found& out);

  // The keys of `range` as this transaction sees them, its own writes included. `value` unless the
  // attempt is over. At commit no key may have come into the namespace or left it since, and the keys
  // on the page must not have changed.
  [[nodiscard]] ReadStatus scan(const KeyRange& range, KeyPage& out);

  // The present by which entries expire: that of its snapshot, where it has looked at the time, and
  // otherwise Store::now_ms().
  [[nodiscard]] std::int64_t now_ms() const;

  // Not empty, and not longer than Limits allow. Nothing is ever stored under other keys.
  [[nodiscard]] bool may_be_key(std::string_view key) const;

  // Buffers a write. Anything but ok changes nothing.
  [[nodiscard]] WriteStatus set(std::string_view key, std::string_view value,
                                ExpiryMs expires_at_ms = kNeverExpires);

  // Buffers a write that leaves the time at which the entry expires as it is. Requires: get() has just
  // found the key.
  [[nodiscard]] WriteStatus update(std::string_view key, std::string_view value);

  // Buffers a delete. Deleting what does not exist is ok.
  [[nodiscard]] WriteStatus erase(std::string_view key);

  // Makes `charge` on the number under `key` if its condition holds (charge.hpp), behind what the transaction has done to
  // the key so far. At commit the answers to all charges of the key have to be the same as they were; which number gives
  // them does not matter. That no longer goes for a key that the transaction reads (get, find, scan), before or after: its
  // version has to be the same then, as for every read. The key of a charge that is answered not_a_number or
  // not_admitted counts as read.
  [[nodiscard]] ChargeAnswer charge(std::string_view key, const Charge& charge);

  // Buffers a record for the end of a stream of the namespace (stream.hpp), which is made if it is not there.
  // Records come into a stream in the order of these calls. invalid_key: no stream's name;
  // value_too_large: longer than max_record_bytes; namespace_full: max_streams_per_namespace are there;
  // store_full: would exceed max_stream_bytes; others as for set().
  [[nodiscard]] WriteStatus append(std::string_view stream, std::string_view bytes,
                                   Reserve reserve = Reserve::use);

  // Nothing was read or written: there is nothing to commit.
  [[nodiscard]] bool is_untouched() const {
    return !ended_ && has_read_nothing() && !has_changes();
  }

  // Something was written, appended or charged.
  [[nodiscard]] bool has_changes() const {
    return writes_.size() != 0 || appends_.size() != 0 || has_effective_charges_;
  }

  // Validates and applies. `done` is called, and only then, when the answer is pending.
  // Requires: the transaction stays alive and untouched until then.
  [[nodiscard]] CommitStatus commit(OnCommit done);
  // The same for those who commit so often that what is seldom called should not be made each time.
  [[nodiscard]] CommitStatus commit_or_make(MakeOnCommit make_done);

  // From now on commit() answers `done` only when what it stands on outlives the process, also where
  // the namespace's class would answer before: for those who have no reply to hold back.
  void wait_until_kept() { waits_until_kept_ = true; }

  // After commit(): what must be kept before anybody outside may know of it; kNoTicket for nothing.
  [[nodiscard]] Ticket ticket() const { return ticket_; }

  // Drops everything and starts again at the namespace's present state.
  // Requires: no commit is pending.
  void reset();

  // For stores.
  [[nodiscard]] Namespace& space() const { return space_; }
  [[nodiscard]] Exclusivity* exclusivity() const { return exclusivity_; }
  [[nodiscard]] bool waits_until_kept() const { return waits_until_kept_; }
  void set_ticket(Ticket ticket) { ticket_ = ticket; }
  // One per key, in order of first read.
  [[nodiscard]] std::span<const ReadRecord> reads() const { return reads_.view(); }
  // One per key, in order of first write.
  [[nodiscard]] std::span<const WriteRecord> writes() const { return writes_.view(); }
  // One per key, in order of first charge. Those that are open are to be carried out.
  [[nodiscard]] std::span<const ChargeRecord> charges() const { return charges_.view(); }
  // Makes a write of an open charge: its key, whose entry is `before`, becomes `after`. At commit, or where the key is read.
  void carry_out(const ChargeRecord& charge, const Number& before, const Number& after);
  // In order.
  [[nodiscard]] std::span<const AppendRecord> appends() const { return appends_.view(); }
  // One of them leaves the reserve, so all of them do.
  [[nodiscard]] bool leaves_reserve() const { return leaves_reserve_; }
  // What the appended records count for.
  [[nodiscard]] std::uint64_t append_bytes() const { return append_bytes_; }
  // That of the namespace when it was scanned: it changes when a key comes or goes. None before that.
  [[nodiscard]] std::optional<Version> structure() const { return structure_; }
  void note_structure(Version version) { structure_ = version; }
  // What the writes count for at most, deletes and charges included.
  [[nodiscard]] std::uint64_t write_bytes() const { return write_bytes_; }
  // The attempt ended because something was not resident: call Store::fetch, run it again.
  [[nodiscard]] bool needs_fetch() const { return ended_ == ReadStatus::not_resident; }
  // The key whose read answered not_resident; empty when there is none, or it was a scan.
  [[nodiscard]] const std::string& missing_key() const { return missing_key_; }

  // The instant at which every read so far is known to hold: the version of the namespace, and the
  // store's time by which entries were live or expired; kTimeless where none expires. No snapshot before
  // the first read.
  [[nodiscard]] std::optional<Version> snapshot() const { return snapshot_; }
  [[nodiscard]] std::int64_t as_of_ms() const { return as_of_ms_; }
  void set_snapshot(Version version, std::int64_t as_of_ms) {
    snapshot_ = version;
    as_of_ms_ = as_of_ms;
  }

 private:
  template <typename Fill>
  WriteStatus put(std::string_view key, Fill fill, std::uint64_t value_bytes);
  ReadStatus end_attempt(ReadStatus status);
  // Requires: there is room for it, and no record of that key.
  void note_read(std::string_view key, const Stamp& stamp);
  [[nodiscard]] std::vector<const WriteRecord*> own_writes_in(const KeyRange& range) const;
  [[nodiscard]] bool has_read_nothing() const {
    return reads_.size() == 0 && charges_.size() == 0 && !structure_;
  }
  // The charges of `key` that its version does not decide about, or nullptr.
  [[nodiscard]] ChargeRecord* open_charge(std::string_view key);
  // The committed value of `key` into charged_value_; ends the attempt where it has to.
  ReadStatus read_committed(std::string_view key, Stamp& stamp);
  WriteStatus admit_charge(const ChargeRecord* open, std::string_view key, const ChargeStep& step);
  void note_charge(ChargeRecord* open, std::string_view key, const ChargeStep& step);
  ChargeAnswer count_as_read(ChargeRecord* open, std::string_view key, const Stamp& stamp,
                             const ChargeAnswer& answer);
  ChargeAnswer charge_what_is_read(std::string_view key, const Charge& charge);
  WriteStatus write_number(std::string_view key, const Number& before, const Number& after);
  // From here on the version counts. `value` unless the attempt is over.
  ReadStatus read_charged(ChargeRecord& open);
  ReadStatus read_charged_in(const KeyRange& range);
  [[nodiscard]] bool has_room_for_read(std::string_view key) const;
  // Room for a record at `position` of its list.
  [[nodiscard]] bool has_room_for(std::uint64_t position, std::uint64_t bytes) const;

  Store& store_;
  Namespace& space_;
  Exclusivity* exclusivity_;
  const Limits* limits_;  // those in force when the attempt began
  std::optional<Version> snapshot_;
  std::int64_t as_of_ms_ = 0;  // of no meaning without a snapshot
  std::optional<Version> structure_;
  RecordList<ReadRecord> reads_;
  RecordList<WriteRecord> writes_;
  RecordList<ChargeRecord> charges_;
  AppendList appends_;
  std::uint64_t read_bytes_ = 0;
  std::uint64_t write_bytes_ = 0;
  std::uint64_t append_bytes_ = 0;
  std::array<std::string, 2> values_;  // what the last two get() found, in turn
  std::size_t turn_ = 0;
  std::string charged_value_;  // what the last charge was made on
  std::uint64_t charge_steps_ = 0;
  std::optional<ReadStatus> ended_;  // by a read: doomed, not_resident or failed
  std::string missing_key_;
  Ticket ticket_ = kNoTicket;
  bool waits_until_kept_ = false;
  bool leaves_reserve_ = false;
  bool has_effective_charges_ = false;
};

}  // namespace helios::kv
