// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads the records of one stream where they lie in the order of their keys: in the database, or in a segment of the
// archive, which has the same keys. Private to the module.

#include "base/result.hpp"
#include "kv/rocksdb/stored_record.hpp"
#include "kv/stream.hpp"

#include <rocksdb/iterator.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace helios::kv::rocksdb {

// One thread at a time.
class StreamReader {
 public:
  // What to tell people about a call that failed. Outlives the iterator, and may keep alive what that reads.
  using Explain = std::function<base::Error(const ::rocksdb::Status&)>;

  // `stream`: as put_stream() writes it. `at` shows one moment.
  StreamReader(std::unique_ptr<::rocksdb::Iterator> at, std::string stream, Explain explain)
      : explain_(std::move(explain)), at_(std::move(at)), stream_(std::move(stream)) {}

  // The head under `tag`. Nullopt when there is none, or error() says why not.
  [[nodiscard]] std::optional<StreamHead> head(char tag = kHeadTag);

  // Nullopt when error() says why not: it must be there. Views memory that the next call changes.
  [[nodiscard]] std::optional<StoredRecord> record(RecordNumber number);
  // The one behind the last record().
  [[nodiscard]] std::optional<StoredRecord> next(RecordNumber number);

  [[nodiscard]] const std::optional<base::Error>& error() const { return error_; }

 private:
  bool seek();
  std::optional<StoredRecord> present(RecordNumber number);
  std::optional<StoredRecord> missing(RecordNumber number);
  void fail(const std::string& what);

  Explain explain_;
  std::unique_ptr<::rocksdb::Iterator> at_;
  std::string stream_;
  std::string key_;
  std::optional<base::Error> error_;
};

// Appends records from `from` on, and before `end`, to the page, until it has what `range` allows. True = it is full. False
// also when reader.error() says why it ends too soon.
bool read_records(StreamReader& reader, RecordNumber from, RecordNumber end,
                  const StreamRange& range, StreamPage& page);

}  // namespace helios::kv::rocksdb
