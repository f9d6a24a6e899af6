// SPDX-License-Identifier: Apache-2.0
#pragma once

// The streams of a state directory: what chains their records as they are written, and reads them. Private to the
// module.
//
// What has moved to the archive is read from there, so that a reader need not know where the records are.
//
// Thread rule: recover() first; put() from the writer's thread; read() from any thread, beside it.

#include "base/function_view.hpp"
#include "base/result.hpp"
#include "base/sha256.hpp"
#include "kv/rocksdb/stored_record.hpp"
#include "kv/rocksdb/stream_reader.hpp"
#include "kv/rocksdb/write_group.hpp"
#include "kv/stream.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace helios::kv::rocksdb {

class Archive;
class Database;

class StreamLog {
 public:
  // Both outlive it. `archive`: null: there is none.
  StreamLog(Database& database, Archive* archive) : database_(database), archive_(archive) {}
  StreamLog(const StreamLog&) = delete;
  StreamLog& operator=(const StreamLog&) = delete;

  // Reads how far each stream has come, and shows it; no record but the latest of each, which must be there.
  // Errors: invalid (damaged), unavailable.
  [[nodiscard]] base::Result<void> recover(
      base::FunctionView<void(std::string_view space, StreamInfo info)> show);

  // Numbers follow on what was recovered, or put before. Then what is dropped goes.
  void put(WriteGroup& group);

  // As Journal::read_stream(), of what the database and the archive have.
  [[nodiscard]] base::Result<StreamPage> read(std::string_view space, std::string_view stream,
                                              const StreamRange& range);

 private:
  struct Chain {
    StreamHead head;
    bool is_touched = false;  // by the group that is being put
  };
  using Chains = std::map<std::string, Chain, std::less<>>;  // by what put_stream() writes

  Chains::iterator chain_of(std::string_view stream);
  [[nodiscard]] StreamReader reader_of(std::string stream);
  [[nodiscard]] base::Result<void> read_from(RecordNumber from, const StreamHead& head,
                                             StreamName stream, const StreamRange& range,
                                             StreamReader& reader, StreamPage& page);
  void put_drop(::rocksdb::WriteBatch& batch, const Drop& drop, StreamHead& head);
  void put_record(::rocksdb::WriteBatch& batch, const RecordBuffer::Record& record,
                  StreamHead& head);
  void put_head(::rocksdb::WriteBatch& batch, std::string_view stream, const StreamHead& head);

  Database& database_;
  Archive* const archive_;
  base::Sha256 sha_;
  Chains chains_;
  std::vector<Chains::iterator> touched_;
  std::string key_;  // storage that is used again
};

}  // namespace helios::kv::rocksdb
