// SPDX-License-Identifier: Apache-2.0
#pragma once

// One attempt to read and write one namespace as a whole. See store.hpp for the contract.
//
// Flow: 1 construct (or reset()); 2 get/set/erase in any order; 3 commit() once, or drop it: a
// transaction that is destroyed or reset without commit() never happened. After ReadStatus::doomed,
// not_resident or failed the attempt is over; only fetch(), reset() and destruction make sense.
//
// Memory: keeps its buffers across reset(), so a reused Transaction stops allocating.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kv/store.hpp"

namespace helios::kv {

struct ReadRecord {
  std::string key;
  Version version = kAbsent;  // as seen; kAbsent when there was nothing
};

struct WriteRecord {
  std::string key;
  std::optional<std::string> value;  // nullopt = delete
  ExpiryMs expires_at_ms = kNeverExpires;
};

class Transaction {
 public:
  // With `exclusivity`, the transaction commits under it (see Exclusivity) and is not held up by it.
  // Requires: `exclusivity` belongs to `space` and outlives the commit.
  Transaction(Store& store, Namespace& space, Exclusivity* exclusivity = nullptr);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // The value of `key` as this transaction sees it: its own write, else the committed one.
  // On ReadStatus::value, `out` views the value until the next call on this transaction.
  [[nodiscard]] ReadStatus get(std::string_view key, std::string_view& out);

  // Buffers a write. Anything but ok changes nothing.
  [[nodiscard]] WriteStatus set(std::string_view key, std::string_view value,
                                ExpiryMs expires_at_ms = kNeverExpires);

  // Buffers a delete. Deleting what does not exist is ok.
  [[nodiscard]] WriteStatus erase(std::string_view key);

  // Validates and applies. `done` is called, and only then, when the answer is pending.
  // Requires: the transaction stays alive and untouched until then.
  [[nodiscard]] CommitStatus commit(OnCommit done);

  // Drops everything and starts again at the namespace's present state.
  void reset();

  // For stores.
  [[nodiscard]] Namespace& space() const { return space_; }
  [[nodiscard]] Exclusivity* exclusivity() const { return exclusivity_; }
  [[nodiscard]] const std::vector<ReadRecord>& reads() const { return reads_; }
  [[nodiscard]] const std::vector<WriteRecord>& writes() const { return writes_; }
  // The version of the namespace at which every read so far is known to hold; nullopt before the
  // first read.
  [[nodiscard]] std::optional<Version> snapshot() const { return snapshot_; }
  void set_snapshot(Version version) { snapshot_ = version; }

 private:
  WriteRecord* find_write(std::string_view key);
  WriteRecord& write_of(std::string_view key);

  Store& store_;
  Namespace& space_;
  Exclusivity* exclusivity_;
  std::optional<Version> snapshot_;
  std::vector<ReadRecord> reads_;    // one per key, in order of first read
  std::vector<WriteRecord> writes_;  // one per key, in order of first write
  std::string value_;                // what get() last found
};

}  // namespace helios::kv
