// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where a store writes down what it applies, so that a restart finds it. The store works without one.
//
// A namespace hands over each transaction, and each removal of expired entries, with its mutex held:
// so the journal sees them in the order of their versions, and what it keeps is at any moment a prefix
// of whole transactions.
//
// Records of streams go the same way, but they stay there: the store remembers only how far each stream
// has come, and who wants to see records asks the journal. The journal chains them: see stream.hpp.
//
// Thread rule: every call may be made from any thread. append() and clear() only copy; nothing here
// does I/O on the caller's thread, but for read_stream() and backup(). Lifetime: outlives the store that writes
// to it.

#include "base/result.hpp"
#include "kv/durability.hpp"
#include "kv/store.hpp"
#include "kv/stream.hpp"

#include <span>
#include <string>
#include <string_view>

namespace helios::kv {

// What a transaction left under one key.
struct Change {
  std::string_view key;
  bool is_erase = false;
  std::string_view value = {};  // of no meaning when is_erase
  ExpiryMs expires_at_ms = kNeverExpires;
};

// A record of a stream, and the place that the store gave it.
struct NumberedRecord {
  std::string_view stream;
  RecordNumber number = 0;  // one more than that of the record appended before it
  std::int64_t time_ms = 0;
  std::string_view bytes;
};

// One transaction of one namespace. Views are valid during the call.
struct Applied {
  std::string_view space;
  Version version = kAbsent;
  std::span<const Change> changes;
  std::span<const NumberedRecord> appends = {};
  bool wants_sync = false;  // somebody will wait until it is on disk
};

// The oldest records of a stream, which are kept elsewhere from now on.
struct DroppedRecords {
  std::string_view stream;
  RecordNumber next_first = 1;  // the oldest one that stays
  std::uint64_t bytes = 0;      // what those that go count for (record_bytes())
  base::Sha256Digest before{};  // the digest of the last one that goes
};

class Journal {
 public:
  virtual ~Journal() = default;

  // Takes the transaction. Returns its ticket; after a failure, one that will never be reached.
  virtual Ticket append(const Applied& applied) = 0;

  // Forgets every entry of a namespace; its streams stay.
  virtual Ticket clear(std::string_view space) = 0;

  // Takes records out of a stream. They make room for others at once.
  virtual Ticket drop(std::string_view space, const DroppedRecords& records) = 0;

  // Up to which ticket everything is that safe. One atomic load.
  [[nodiscard]] virtual Ticket reached(Safety safety) const = 0;

  // Calls `make_on_reached` when, and only when, the answer is pending; never calls inside what that makes.
  [[nodiscard]] virtual WaitStatus wait(Ticket ticket, Safety safety,
                                        MakeOnReached make_on_reached) = 0;

  // False for good after the first write or sync that failed. One atomic load.
  [[nodiscard]] virtual bool is_writable() const = 0;

  // So much waits to be written that whoever adds to it shall wait as well. One atomic load.
  [[nodiscard]] virtual bool is_behind() const = 0;

  // Empty, or one line that says what is broken.
  [[nodiscard]] virtual std::string health() const = 0;

  // Versions of this process are greater: none was used by an earlier one.
  [[nodiscard]] virtual Version last_used_version() const = 0;

  // Records of a stream, of those that are that safe at least, and everything that was acknowledged before
  // the call among them. Reads the disk, and may wait for a sync: not for threads that others wait for.
  // A stream that is not there is empty. Errors: unavailable, invalid (damaged).
  [[nodiscard]] virtual base::Result<StreamPage> read_stream(std::string_view space,
                                                             std::string_view stream,
                                                             const StreamRange& range,
                                                             Safety safety) = 0;

  // A copy of the present state in a new folder, from which a proxy can start; everything whose ticket
  // was given out before the call is in it. Takes its time, and does not hold up writers.
  // Errors: invalid when the folder exists, unavailable.
  [[nodiscard]] virtual base::Result<void> backup(const std::string& path) = 0;
};

}  // namespace helios::kv
