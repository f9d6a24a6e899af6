// SPDX-License-Identifier: Apache-2.0
#pragma once

// Moves the oldest records of streams from the database to the archive, by a thread of its own: so a trail may grow for
// years, and max_stream_bytes bounds only what has not moved yet.
//
// For each segment: 1 read records that are on disk; 2 write, sync and check the segment (Archive::add()); 3 take the records
// out of the stream, in the store and in the database. A process that ends in between has the records in both places; the
// next one finds the segment, checks it, and goes on with 3.
//
// Where the archive cannot be written nothing is dropped, appends go on until max_stream_bytes, and health() says why. It
// is tried again at the next round.

#include "base/clock.hpp"
#include "base/faults.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "kv/memory_store.hpp"
#include "kv/stream.hpp"

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace helios::kv::rocksdb {

class DiskJournal;

struct ArchiverOptions {
  // What all streams may count for in the database; what is more moves, and an eighth of this at least, that of the largest
  // stream first.
  std::uint64_t keep_bytes = 1ULL << 30;
  // Records that are older move, in segments of at least half that time. 0: none moves for its age.
  std::int64_t move_after_ms = 0;
  // Segments whose last record is older are removed. 0: none is.
  std::int64_t remove_after_ms = 0;
  std::uint64_t segment_bytes = 64ULL << 20;  // as records count
  std::uint32_t interval_ms = 10'000;         // between two rounds
};

struct ArchiverStats {
  std::uint64_t segments = 0;  // written, or found and taken
  std::uint64_t records = 0;   // in them
  std::uint64_t removed = 0;   // segments
  std::uint64_t failures = 0;  // rounds that could not be ended
};

class Archiver {
 public:
  // Requires: the journal has an archive, and `store` is attached to it. All outlive the archiver.
  Archiver(MemoryStore& store, DiskJournal& journal, const ArchiverOptions& options,
           const base::Clock& clock, base::Log& log, base::FaultSink* faults = nullptr);
  ~Archiver();

  void start();
  // Ends when the segment that is being written is done. Before the journal stops.
  void stop();
  // From the next round on, which begins at once.
  void set(const ArchiverOptions& options);

  // One round, which the thread makes every interval_ms; without start(), for those who have no thread.
  [[nodiscard]] base::Result<void> run_round();

  // Empty, or one line that says what the last round could not do.
  [[nodiscard]] std::string health() const;
  [[nodiscard]] ArchiverStats stats() const;

 private:
  struct Candidate {
    Namespace* space = nullptr;
    StreamInfo stream;
  };

  void run();
  [[nodiscard]] bool is_stopping() const;
  [[nodiscard]] ArchiverOptions options() const;
  void note(const base::Result<void>& round);
  [[nodiscard]] std::optional<Candidate> largest() const;
  [[nodiscard]] base::Result<void> move_by_size(const ArchiverOptions& options);
  [[nodiscard]] base::Result<void> move_by_age(const ArchiverOptions& options);
  [[nodiscard]] base::Result<void> move_if_old(const Candidate& it, const ArchiverOptions& options);
  [[nodiscard]] base::Result<void> remove_old(const ArchiverOptions& options);
  [[nodiscard]] base::Result<StreamPage> read(const Candidate& it, const StreamRange& range) const;
  // Records of the stream before `end`, a segment of them at most. False: the database does not have them yet.
  [[nodiscard]] base::Result<bool> move(const Candidate& it, RecordNumber end,
                                        std::uint64_t segment_bytes);

  MemoryStore& store_;
  DiskJournal& journal_;
  const base::Clock& clock_;
  base::Log& log_;
  base::FaultSink* const faults_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable woken_;
  ArchiverOptions options_;
  ArchiverStats stats_;
  std::string health_;
  bool is_stopping_ = false;
  bool is_woken_ = false;
  std::thread thread_;
};

}  // namespace helios::kv::rocksdb
