// SPDX-License-Identifier: Apache-2.0
#pragma once

// The archive: a folder to which the oldest records of streams move, so that a stream may be longer than its database.
//
//   <archive>/<namespace>/<stream>/<first>-<last>.sst     a segment: records without a gap, numbers of 20 digits
//
// A segment is a table of RocksDB, compressed, with a checksum for each block: it has the records under the keys and with the
// values that they had in the database, and behind them, under kSegmentTag, the head of just these records
// (stored_record.hpp). It never changes. A segment is there once it has its name: until then it was written, synced, and
// read again, record by record, along its chain.
//
// Segments may be copied, moved to other disks and taken away, the oldest first. A reader is shown what hangs together with
// the database without a gap.
//
// Thread rule: any thread.

#include "base/result.hpp"
#include "kv/rocksdb/stored_record.hpp"
#include "kv/rocksdb/stream_reader.hpp"
#include "kv/stream.hpp"

#include <rocksdb/env.h>
#include <rocksdb/sst_file_reader.h>

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace helios::kv::rocksdb {

// Of records, as the first of them is known and how they are read.
struct SegmentSource {
  StreamName stream;
  RecordNumber first = 1;
  base::Sha256Digest before{};  // what the first one follows
  std::uint64_t max_bytes =
      0;                 // as they count (record_bytes()); the first record comes whatever its size
  RecordNumber end = 1;  // and none from here on; > first
  std::function<base::Result<StreamPage>(RecordNumber from)> read;
};

class Archive {
 public:
  struct Segment {
    RecordNumber first = 1;
    RecordNumber next = 1;
    std::string path;
  };

  // Makes the folder, for the owner alone, unless it is to be read only. What was left unfinished in it is removed.
  // `file_system`: null: the real one. Errors: unavailable, with what to do.
  [[nodiscard]] static base::Result<std::unique_ptr<Archive>> open(
      const std::string& folder, bool read_only,
      const std::shared_ptr<::rocksdb::FileSystem>& file_system);

  // Writes a segment, checks it, and names it. Returns the head of its records. A segment that is there already, with
  // the same first record, is checked and taken. Errors: unavailable (the folder cannot be written), invalid (the
  // records do not make a chain: the database is damaged); nothing is there then.
  [[nodiscard]] base::Result<StreamHead> add(const SegmentSource& source);

  // The oldest record from which on none is missing up to `next`; `next` itself when the archive does not reach there.
  [[nodiscard]] RecordNumber first_before(StreamName stream, RecordNumber next);
  // Requires: first_before() <= number < next.
  [[nodiscard]] base::Result<std::int64_t> time_of(StreamName stream, RecordNumber number);
  // Appends records from `from` on, and before `end`, to the page, with what they follow where the page was empty. True =
  // the page is full. Requires: as time_of().
  [[nodiscard]] base::Result<bool> read(StreamName stream, RecordNumber from, RecordNumber end,
                                        const StreamRange& range, StreamPage& page);

  // The oldest first.
  [[nodiscard]] std::vector<Segment> segments(StreamName stream);
  // Removes segments whose last record is older, the oldest first. Returns how many went. Errors: unavailable.
  [[nodiscard]] base::Result<std::size_t> remove_older(std::int64_t time_ms);

  [[nodiscard]] const std::string& folder() const { return folder_; }

 private:
  using Segments = std::map<RecordNumber, Segment>;  // by their first record
  struct Opened {
    std::string path;
    std::shared_ptr<::rocksdb::SstFileReader> file;
  };

  Archive(std::string folder, const std::shared_ptr<::rocksdb::FileSystem>& file_system);
  [[nodiscard]] base::Result<void> find_segments(bool read_only);
  [[nodiscard]] std::string folder_of(StreamName stream) const;
  [[nodiscard]] base::Result<StreamHead> write(const std::string& path,
                                               const SegmentSource& source);
  [[nodiscard]] base::Result<StreamHead> check(const std::string& path,
                                               const SegmentSource& source);
  [[nodiscard]] base::Result<void> name(const std::string& from, const std::string& to);
  [[nodiscard]] base::Result<bool> remove_oldest(const std::string& stream, std::int64_t time_ms);
  [[nodiscard]] base::Result<Segment> segment_of(StreamName stream, RecordNumber number);
  [[nodiscard]] base::Result<StreamReader> reader(const std::string& path, StreamName stream);
  [[nodiscard]] base::Result<std::shared_ptr<::rocksdb::SstFileReader>> open_file(
      const std::string& path);
  [[nodiscard]] base::Error explain(const std::string& path, const ::rocksdb::Status& status) const;

  const std::string folder_;
  std::unique_ptr<::rocksdb::Env> env_;
  std::mutex mutex_;  // guards what follows; not held while a disk works
  std::map<std::string, Segments, std::less<>> streams_;  // by what put_stream() writes
  std::list<Opened> opened_;                              // the latest one first
};

}  // namespace helios::kv::rocksdb
