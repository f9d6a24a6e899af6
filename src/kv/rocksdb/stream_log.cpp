// SPDX-License-Identifier: Apache-2.0
#include "kv/rocksdb/stream_log.hpp"

#include "kv/limits.hpp"
#include "kv/rocksdb/archive.hpp"
#include "kv/rocksdb/database.hpp"
#include "kv/rocksdb/slices.hpp"

#include <rocksdb/iterator.h>

#include <array>
#include <optional>
#include <utility>

namespace helios::kv::rocksdb {
namespace {

std::string stream_key(std::string_view space, std::string_view stream) {
  std::string key;
  put_stream(key, space, stream);
  return key;
}

}  // namespace

base::Result<void> StreamLog::recover(
    base::FunctionView<void(std::string_view space, StreamInfo info)> show) {
  std::string stream;
  const auto visit = [&](std::string_view key, std::string_view value) {
    const auto name = parse_head_key(key);
    const auto head = parse_head(value);
    if (!name || !head) return false;
    stream = key.substr(1);
    chains_[stream].head = *head;
    show(name->space, {.name = std::string(name->stream), .extent = head->extent});
    return true;
  };
  if (auto read = database_.for_each_head(visit); !read) return read;
  for (const auto& [key, chain] : chains_) {
    const StreamHead& head = chain.head;
    if (head.extent.first == head.extent.next) continue;
    StreamReader reader = reader_of(key);
    const auto last = reader.record(head.extent.next - 1);
    if (!last) return std::unexpected(*reader.error());
    if (last->digest == head.last) continue;
    return std::unexpected(database_.explain(
        ::rocksdb::Status::Corruption("the end of a stream is not that of its chain")));
  }
  return {};
}

StreamReader StreamLog::reader_of(std::string stream) {
  return {database_.read_streams(), std::move(stream),
          [this](const ::rocksdb::Status& status) { return database_.explain(status); }};
}

void StreamLog::put(WriteGroup& group) {
  auto at = chains_.end();
  group.records.for_each([&](const RecordBuffer::Record& record) {
    if (at == chains_.end() || at->first != record.stream) at = chain_of(record.stream);
    put_record(group.changes, record, at->second.head);
    if (!std::exchange(at->second.is_touched, true)) touched_.push_back(at);
  });
  for (const Drop& drop : group.drops) {
    at = chain_of(drop.stream);
    put_drop(group.changes, drop, at->second.head);
    if (!std::exchange(at->second.is_touched, true)) touched_.push_back(at);
  }
  for (const auto& touched : touched_) {
    put_head(group.changes, touched->first, touched->second.head);
    touched->second.is_touched = false;
  }
  touched_.clear();
}

StreamLog::Chains::iterator StreamLog::chain_of(std::string_view stream) {
  if (const auto found = chains_.find(stream); found != chains_.end()) return found;
  key_.assign(1, kHeadTag);
  key_ += stream;
  const auto name = parse_head_key(key_).value();
  Chain made;
  made.head.before = made.head.last = first_digest(name.space, name.stream);
  return chains_.emplace(stream, made).first;
}

void StreamLog::put_record(::rocksdb::WriteBatch& batch, const RecordBuffer::Record& record,
                           StreamHead& head) {
  head.last = next_digest(sha_, head.last, record.bytes);
  head.extent.next = record.number + 1;
  head.extent.bytes += record_bytes(record.bytes.size());
  head.extent.last_time_ms = record.time_ms;
  key_.assign(1, kRecordTag);
  key_ += record.stream;
  put_number(key_, record.number);
  const std::array<::rocksdb::Slice, 3> value = {
      ::rocksdb::Slice(reinterpret_cast<const char*>(&record.time_ms), sizeof record.time_ms),
      slice(base::bytes_of(head.last)), slice(record.bytes)};
  const ::rocksdb::Slice key = slice(key_);
  static_cast<void>(
      batch.Put(database_.streams(), {&key, 1}, {value.data(), static_cast<int>(value.size())}));
}

void StreamLog::put_drop(::rocksdb::WriteBatch& batch, const Drop& drop, StreamHead& head) {
  const auto key_at = [&drop](RecordNumber number) {
    std::string key(1, kRecordTag);
    key += drop.stream;
    put_number(key, number);
    return key;
  };
  static_cast<void>(batch.DeleteRange(database_.streams(), slice(key_at(head.extent.first)),
                                      slice(key_at(drop.next_first))));
  head.extent.first = drop.next_first;
  head.extent.bytes -= drop.bytes;
  head.before = drop.before;
}

void StreamLog::put_head(::rocksdb::WriteBatch& batch, std::string_view stream,
                         const StreamHead& head) {
  key_.assign(1, kHeadTag);
  key_ += stream;
  static_cast<void>(batch.Put(database_.streams(), slice(key_), slice(head_value(head))));
}

base::Result<StreamPage> StreamLog::read(std::string_view space, std::string_view stream,
                                         const StreamRange& range) {
  if (database_.streams() == nullptr) return StreamPage{};
  StreamReader reader = reader_of(stream_key(space, stream));
  const auto head = reader.head();
  StreamPage page;
  if (head) {
    page.extent = head->extent;
    page.before = head->before;
    const RecordNumber archived_from =
        archive_ == nullptr ? head->extent.first
                            : archive_->first_before({space, stream}, head->extent.first);
    page.extent.first = archived_from;
    std::optional<base::Error> error;
    const RecordNumber from = first_in(range, page.extent, [&](RecordNumber number) {
      if (number >= head->extent.first) {
        const auto record = reader.record(number);
        return record ? record->time_ms : 0;
      }
      const auto time = archive_->time_of({space, stream}, number);
      if (!time && !error) error = time.error();
      return time.value_or(0);
    });
    if (error) return std::unexpected(*error);
    if (auto read = read_from(from, *head, {space, stream}, range, reader, page); !read)
      return std::unexpected(read.error());
  }
  if (reader.error()) return std::unexpected(*reader.error());
  return page;
}

// What is in the archive, and then what is in the database.
base::Result<void> StreamLog::read_from(RecordNumber from, const StreamHead& head,
                                        StreamName stream, const StreamRange& range,
                                        StreamReader& reader, StreamPage& page) {
  const RecordNumber oldest = head.extent.first;
  if (from < oldest) {
    const auto is_full = archive_->read(stream, from, oldest, range, page);
    if (!is_full) return std::unexpected(is_full.error());
    if (!*is_full) read_records(reader, oldest, head.extent.next, range, page);
    return {};
  }
  if (from > oldest) {
    const auto previous = reader.record(from - 1);
    if (previous) page.before = previous->digest;
  }
  if (!reader.error()) read_records(reader, from, head.extent.next, range, page);
  return {};
}

}  // namespace helios::kv::rocksdb
