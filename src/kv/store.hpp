// SPDX-License-Identifier: Apache-2.0
#pragma once

// The contract of the plugin state: namespaces of ordered keys, changed only by transactions.
//
// A transaction is optimistic. It reads committed values (each read remembers the version it saw,
// absence included), buffers its writes, reads them back itself, and at commit the store checks that
// everything read is still current and makes all writes visible at once, or none. No lock is held
// between two calls, so a transaction may span a whole hook call of a plugin at no cost to others.
//
// Three calls may not finish at once, in this store or a later one that talks to a disk or a
// network: a read may answer not_resident, a commit pending, and exclusivity is granted later.
// Whoever uses this contract handles all three; the in-memory store only ever uses pending and
// exclusivity.
//
// Versions: every commit that writes takes the next version of its namespace. Versions only grow
// and are never used twice, whatever is deleted in between. Version 0 means absent.
//
// Charges (charge.hpp): changes of a number that answer yes or no. What the store checks at commit is that the answers are
// still the same, not that the version is: so transactions that only charge a key do not conflict over it. They have
// their place in the order all the same, that of their commits.
//
// Expiry changes no version. An entry whose time has come is absent for every read and scan at once;
// usage may count it until it is removed, which happens when the namespace is next written. It goes by
// now_ms(), not by the wall clock: whoever wants an entry to live so long adds that to now_ms().
//
// Durability: where a store keeps namespaces on disk, a commit's answer means what the class of the
// namespace promises (durability.hpp). Under `relaxed` the promise is kept a little later than the
// answer comes: whoever lets anybody outside see that a transaction was committed waits for its ticket
// first, with when_kept(), or asks the transaction to wait itself.
//
// Streams (stream.hpp) are a namespace's other half: a transaction appends records to them, and nothing else.
// They are read outside of transactions, which no record needs: it never changes.
//
// Thread rule: Store and Namespace may be used from any thread. One Transaction belongs to one
// thread at a time. Callbacks are called with no lock of the store held, so they may call it.
// Lifetime: the store outlives its transactions and exclusivities. Callbacks that still wait when it
// is destroyed are destroyed without a call.

#include "base/executor.hpp"
#include "base/function_view.hpp"
#include "base/result.hpp"
#include "kv/durability.hpp"
#include "kv/limits.hpp"
#include "kv/stream.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::kv {

using Version = std::uint64_t;
inline constexpr Version kAbsent = 0;
// Of what a transaction has written itself and not committed: the version that it will have is not
// known before.
inline constexpr Version kOwnWrite = ~Version{0};

// Milliseconds since 1970-01-01 UTC, as Store::now_ms() counts them, at which an entry is gone;
// kNeverExpires for most.
using ExpiryMs = std::int64_t;
inline constexpr ExpiryMs kNeverExpires = 0;

class Transaction;

enum class ReadStatus {
  value,         // found
  absent,        // never set, deleted or expired
  not_resident,  // not known here yet: abandon the attempt, call Store::fetch, run it again
  doomed,        // what this transaction has read is no longer current: abandon it, run it again
  failed,  // the store cannot answer, see Store::health(); or the transaction has read more than
           // Limits::max_transaction_* allow
};

enum class WriteStatus {
  ok,
  invalid_key,            // empty, or longer than max_key_bytes
  value_too_large,        // longer than max_value_bytes
  namespace_full,         // would exceed max_keys_per_namespace or max_bytes_per_namespace
  store_full,             // would exceed max_total_bytes
  transaction_too_large,  // would exceed max_transaction_records or max_transaction_bytes
  failed,  // the namespace is read-only, because the store cannot keep what is written: health()
};

enum class CommitStatus {
  done,      // all writes are visible (and as durable as the namespace promises)
  conflict,  // something read has changed; nothing was written; run the attempt again
  full,      // a quota was used up between the call and the commit; nothing was written
  failed,    // the store broke; whether the writes happened, or will survive, is unknown
  pending,   // the answer comes through the callback
};

// Called once with the final status (never `pending`), on any thread, possibly one that holds up
// others: it should do no more than post the news to whoever waits.
using OnCommit = std::move_only_function<void(CommitStatus)>;

// Makes it once the answer is known to be pending, which it seldom is: called once or never, before commit()
// returns, possibly with a lock of the store held.
using MakeOnCommit = base::FunctionView<OnCommit()>;

// One namespace, opaque to its users. Lives as long as its store.
class Namespace {
 public:
  virtual ~Namespace() = default;
  [[nodiscard]] virtual const std::string& name() const = 0;
};

// The right to be the only writer of one namespace. While it is held, commits of other transactions
// that write there answer pending and are decided, in their order, when it is given back. Reads go
// on. Destroying it gives it back; it may be destroyed on any thread.
class Exclusivity {
 public:
  virtual ~Exclusivity() = default;
};
using OnExclusive = std::move_only_function<void(std::unique_ptr<Exclusivity>)>;

// What an entry has beside its value.
struct Stamp {
  Version version = kAbsent;  // kAbsent when there is no such entry
  ExpiryMs expires_at_ms = kNeverExpires;
};

// One live entry as a snapshot shows it.
struct Item {
  std::string key;
  std::string value;
  Version version = kAbsent;
  ExpiryMs expires_at_ms = kNeverExpires;
};

// Which entries a scan wants and how much of them at most.
struct ScanRange {
  std::string_view prefix = {};  // only keys that begin so
  std::string_view after = {};   // only keys greater than this; empty = from the beginning
  std::uint64_t max_items = 1000;
  // Keys + values. The first entry comes whatever its size, so that paging always gets on.
  std::uint64_t max_bytes = 1 << 20;
};

struct ScanPage {
  std::vector<Item> items;  // in key order (bytewise)
  bool complete = true;     // false: more keys match than the limits let through
};

// Which keys the scan of a transaction wants, and how many of them at most.
struct KeyRange {
  std::string_view prefix = {};  // only keys that begin so
  std::string_view after = {};   // only keys greater than this; empty = from the beginning
  std::uint64_t max_items = 256;
  std::uint64_t max_bytes = 1 << 20;  // keys, and bytes_per_item for each of them
  std::uint64_t bytes_per_item = 0;

  // Is `key` one of those that it wants?
  [[nodiscard]] bool covers(std::string_view key) const {
    return key.starts_with(prefix) && (after.empty() || key > after);
  }
};

struct KeyItem {
  std::string key;
  std::uint64_t value_bytes = 0;
  Stamp stamp = {};
};

struct KeyPage {
  std::vector<KeyItem> items;  // in key order (bytewise)
  bool complete = true;        // false: more keys match than the limits let through
};

struct Usage {
  std::uint64_t keys = 0;
  std::uint64_t bytes = 0;         // as Limits counts them
  std::uint64_t stream_bytes = 0;  // of records: record_bytes()
};

class Store {
 public:
  virtual ~Store() = default;

  // The namespace of that name, made if it does not exist. Requires: `name` came from
  // namespace_name(), or is kProxyNamespace. Errors: limit_exceeded when max_namespaces exist.
  [[nodiscard]] virtual base::Result<Namespace*> open(std::string_view name) = 0;

  // The namespace of that name or nullptr. Never makes one.
  [[nodiscard]] virtual Namespace* find(std::string_view name) = 0;

  // All namespaces, by name.
  [[nodiscard]] virtual std::vector<Namespace*> namespaces() = 0;

  // Live entries in key order, one page for each range, all of one instant.
  [[nodiscard]] virtual std::vector<ScanPage> scan_ranges(Namespace& space,
                                                          std::span<const ScanRange> ranges) = 0;
  [[nodiscard]] ScanPage scan(Namespace& space, const ScanRange& range) {
    return std::move(scan_ranges(space, std::span(&range, 1)).front());
  }

  // The streams of a namespace, by name.
  [[nodiscard]] virtual std::vector<StreamInfo> streams(Namespace& space) = 0;

  // Records of one stream, as safe as the class of the namespace promises; a stream that is not there is
  // empty. May read the disk and wait for it: not for threads that others wait for. Errors: unavailable, invalid
  // (damaged).
  [[nodiscard]] virtual base::Result<StreamPage> read_stream(Namespace& space,
                                                             std::string_view stream,
                                                             const StreamRange& range) = 0;

  [[nodiscard]] virtual Usage usage(Namespace& space) = 0;
  [[nodiscard]] virtual Usage total_usage() = 0;
  [[nodiscard]] virtual const Limits& limits() const = 0;

  // The time by which entries expire, in milliseconds since 1970-01-01 UTC. Never goes back, and does not
  // jump with the wall clock; see expiry_clock.hpp.
  [[nodiscard]] virtual std::int64_t now_ms() const = 0;

  // Empty when the store works; otherwise one line that says what is broken.
  [[nodiscard]] virtual std::string health() const = 0;

  // Everything up to this ticket outlives the process. One atomic load.
  [[nodiscard]] virtual Ticket kept() const { return kEveryTicket; }

  // Waits until `ticket` is kept. Calls `make_on_kept` when, and only when, the answer is pending; never
  // calls inside what that makes.
  [[nodiscard]] virtual WaitStatus when_kept(Ticket /*ticket*/, MakeOnReached /*make_on_kept*/) {
    return WaitStatus::reached;
  }

  [[nodiscard]] virtual Durability durability(const Namespace& /*space*/) const {
    return Durability::memory;
  }

  // What a plugin asks for, nullopt for nothing: in force where the configuration does not say it for
  // this namespace.
  virtual void prefer_durability(Namespace& /*space*/, std::optional<Durability> /*durability*/) {}

  // A consistent copy of everything that is kept on disk, in a new folder that a proxy can be started
  // on. Takes its time; others are served meanwhile. Errors: invalid (the folder exists, or nothing is kept on
  // disk), unavailable.
  [[nodiscard]] virtual base::Result<void> backup(const std::string& /*path*/) {
    return base::fail(base::Errc::invalid,
                      "state is kept in memory only: there is nothing to copy");
  }

  // Makes resident what `transaction` asked for and did not get, then calls `ready` once, on any
  // thread, possibly inside this call. Then reset() it, or make a new one, and run the attempt again.
  virtual void fetch(Transaction& transaction, base::Task ready) = 0;

  // Queues for exclusivity on `space`: `granted` is called once when it is this request's turn, first
  // come first served. If nobody has it that is at once, inside this call, unless another callback
  // of this namespace is just running: then after that one, on its thread.
  virtual void request_exclusive(Namespace& space, OnExclusive granted) = 0;

 protected:
  // For stores that stand in front of another one: the private calls below, made on `inner`.
  static ReadStatus read_from(Store& inner, Transaction& transaction, std::string_view key,
                              std::string& out, Stamp& stamp) {
    return inner.read(transaction, key, out, stamp);
  }
  static ReadStatus scan_from(Store& inner, Transaction& transaction, const KeyRange& range,
                              KeyPage& page) {
    return inner.scan_keys(transaction, range, page);
  }
  static WriteStatus admit_by(Store& inner, const Transaction& transaction, std::string_view key,
                              std::uint64_t value_bytes) {
    return inner.admit(transaction, key, value_bytes);
  }
  static WriteStatus admit_append_by(Store& inner, const Transaction& transaction,
                                     std::string_view stream, std::uint64_t bytes) {
    return inner.admit_append(transaction, stream, bytes);
  }
  static CommitStatus commit_to(Store& inner, Transaction& transaction, MakeOnCommit make_done) {
    return inner.commit(transaction, make_done);
  }

 private:
  friend class Transaction;

  // The committed value of `key` into `out`, and what goes with it into `stamp`.
  // Checks `transaction`'s earlier reads first when the namespace has moved on since its snapshot.
  // Requires: `key` may be one: not empty, not longer than max_key_bytes.
  virtual ReadStatus read(Transaction& transaction, std::string_view key, std::string& out,
                          Stamp& stamp) = 0;

  // The committed keys of `range`, live as of the transaction's snapshot, into the empty `page`; the
  // first one whatever its size.
  // Checks earlier reads as read() does, and notes the structure version. Answers value when it could.
  virtual ReadStatus scan_keys(Transaction& transaction, const KeyRange& range, KeyPage& page) = 0;

  // Would `transaction` still fit with `key` set to `value_bytes` bytes? Decided again at commit.
  virtual WriteStatus admit(const Transaction& transaction, std::string_view key,
                            std::uint64_t value_bytes) = 0;

  // Would `transaction` still fit with a record of so many bytes more? Decided again at commit.
  virtual WriteStatus admit_append(const Transaction& transaction, std::string_view stream,
                                   std::uint64_t bytes) = 0;

  // Calls `make_done` when, and only when, the answer is pending.
  virtual CommitStatus commit(Transaction& transaction, MakeOnCommit make_done) = 0;
};

}  // namespace helios::kv
