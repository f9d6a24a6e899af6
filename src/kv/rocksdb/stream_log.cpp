// SPDX-License-Identifier: Apache-2.0
#include "kv/rocksdb/stream_log.hpp"

#include "kv/limits.hpp"
#include "kv/rocksdb/database.hpp"
#include "kv/rocksdb/slices.hpp"

#include <rocksdb/iterator.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

namespace helios::kv::rocksdb {
namespace {

// Seeks in the streams of one moment.
class Reader {
 public:
  Reader(Database& database, std::string stream)
      : database_(database), stream_(std::move(stream)), at_(database.read_streams()) {}

  // Nullopt when there is none, or error() says why not.
  std::optional<StreamHead> head() {
    key_.assign(1, kHeadTag);
    key_ += stream_;
    if (!seek()) return std::nullopt;
    auto head = parse_head(at_->value().ToStringView());
    if (!head) fail("the head of a stream is malformed");
    return head;
  }

  // Nullopt when error() says why not: it must be there. Views memory that the next call changes.
  std::optional<StoredRecord> record(RecordNumber number) {
    key_.assign(1, kRecordTag);
    key_ += stream_;
    put_number(key_, number);
    return seek() ? present(number) : missing(number);
  }

  // The one behind the last record().
  std::optional<StoredRecord> next(RecordNumber number) {
    at_->Next();
    const bool is_it = at_->Valid() && at_->key().size() == key_.size() &&
                       at_->key().starts_with({key_.data(), key_.size() - kRecordNumberBytes}) &&
                       number_of(at_->key().ToStringView()) == number;
    return is_it ? present(number) : missing(number);
  }

  [[nodiscard]] const std::optional<base::Error>& error() const { return error_; }

 private:
  // At the very key.
  bool seek() {
    at_->Seek(slice(key_));
    if (!at_->status().ok()) error_ = database_.explain(at_->status());
    return at_->Valid() && at_->key() == slice(key_);
  }
  std::optional<StoredRecord> present(RecordNumber number) {
    const auto record = parse_record(at_->value().ToStringView());
    return record ? record : missing(number);
  }
  std::optional<StoredRecord> missing(RecordNumber number) {
    fail("record " + std::to_string(number) + " of a stream is missing or malformed");
    return std::nullopt;
  }
  void fail(const std::string& what) {
    if (!error_) error_ = database_.explain(::rocksdb::Status::Corruption(what));
  }

  Database& database_;
  const std::string stream_;
  const std::unique_ptr<::rocksdb::Iterator> at_;
  std::string key_;
  std::optional<base::Error> error_;
};

std::string stream_key(std::string_view space, std::string_view stream) {
  std::string key;
  put_stream(key, space, stream);
  return key;
}

void read_records(Reader& reader, RecordNumber from, const StreamRange& range, StreamPage& page) {
  std::uint64_t bytes = 0;
  for (RecordNumber number = from; number < page.extent.next; ++number) {
    if (!page.records.empty() && page.records.size() >= range.max_records) return;
    const auto record = number == from ? reader.record(number) : reader.next(number);
    if (!record) return;
    bytes += record->bytes.size();
    if (bytes > range.max_bytes && !page.records.empty()) return;
    page.records.push_back({.number = number,
                            .time_ms = record->time_ms,
                            .digest = record->digest,
                            .bytes = std::string(record->bytes)});
  }
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
    Reader reader(database_, key);
    const auto last = reader.record(head.extent.next - 1);
    if (!last) return std::unexpected(*reader.error());
    if (last->digest == head.last) continue;
    return std::unexpected(database_.explain(
        ::rocksdb::Status::Corruption("the end of a stream is not that of its chain")));
  }
  return {};
}

void StreamLog::put(WriteGroup& group) {
  auto at = chains_.end();
  group.records.for_each([&](const RecordBuffer::Record& record) {
    if (at == chains_.end() || at->first != record.stream) at = chain_of(record.stream);
    put_record(group.changes, record, at->second.head);
    if (!std::exchange(at->second.is_touched, true)) touched_.push_back(at);
  });
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

void StreamLog::put_head(::rocksdb::WriteBatch& batch, std::string_view stream,
                         const StreamHead& head) {
  key_.assign(1, kHeadTag);
  key_ += stream;
  static_cast<void>(batch.Put(database_.streams(), slice(key_), slice(head_value(head))));
}

base::Result<StreamPage> StreamLog::read(std::string_view space, std::string_view stream,
                                         const StreamRange& range) {
  if (database_.streams() == nullptr) return StreamPage{};
  Reader reader(database_, stream_key(space, stream));
  const auto head = reader.head();
  StreamPage page;
  if (head) {
    page.extent = head->extent;
    page.before = head->before;
    const RecordNumber from = first_in(range, page.extent, [&reader](RecordNumber number) {
      const auto record = reader.record(number);
      return record ? record->time_ms : 0;
    });
    if (from > page.extent.first) {
      const auto previous = reader.record(from - 1);
      if (previous) page.before = previous->digest;
    }
    if (!reader.error()) read_records(reader, from, range, page);
  }
  if (reader.error()) return std::unexpected(*reader.error());
  return page;
}

}  // namespace helios::kv::rocksdb
