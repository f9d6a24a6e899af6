// SPDX-License-Identifier: Apache-2.0
#include "kv/rocksdb/stream_reader.hpp"

#include "kv/rocksdb/slices.hpp"

namespace helios::kv::rocksdb {

std::optional<StreamHead> StreamReader::head(char tag) {
  key_.assign(1, tag);
  key_ += stream_;
  if (!seek()) return std::nullopt;
  auto head = parse_head(at_->value().ToStringView());
  if (!head) fail("the head of a stream is malformed");
  return head;
}

std::optional<StoredRecord> StreamReader::record(RecordNumber number) {
  key_.assign(1, kRecordTag);
  key_ += stream_;
  put_number(key_, number);
  return seek() ? present(number) : missing(number);
}

std::optional<StoredRecord> StreamReader::next(RecordNumber number) {
  at_->Next();
  const bool is_it = at_->Valid() && at_->key().size() == key_.size() &&
                     at_->key().starts_with({key_.data(), key_.size() - kRecordNumberBytes}) &&
                     number_of(at_->key().ToStringView()) == number;
  return is_it ? present(number) : missing(number);
}

// At the very key.
bool StreamReader::seek() {
  at_->Seek(slice(key_));
  if (!at_->status().ok()) error_ = explain_(at_->status());
  return at_->Valid() && at_->key() == slice(key_);
}

std::optional<StoredRecord> StreamReader::present(RecordNumber number) {
  const auto record = parse_record(at_->value().ToStringView());
  return record ? record : missing(number);
}

std::optional<StoredRecord> StreamReader::missing(RecordNumber number) {
  if (!at_->status().ok()) error_ = explain_(at_->status());
  fail("record " + std::to_string(number) + " of a stream is missing or malformed");
  return std::nullopt;
}

void StreamReader::fail(const std::string& what) {
  if (!error_) error_ = explain_(::rocksdb::Status::Corruption(what));
}

bool read_records(StreamReader& reader, RecordNumber from, RecordNumber end,
                  const StreamRange& range, StreamPage& page) {
  std::uint64_t bytes = 0;
  for (const StreamRecord& record : page.records) bytes += record.bytes.size();
  for (RecordNumber number = from; number < end; ++number) {
    if (!page.records.empty() && page.records.size() >= range.max_records) return true;
    const auto record = number == from ? reader.record(number) : reader.next(number);
    if (!record) return false;
    bytes += record->bytes.size();
    if (bytes > range.max_bytes && !page.records.empty()) return true;
    page.records.push_back({.number = number,
                            .time_ms = record->time_ms,
                            .digest = record->digest,
                            .bytes = std::string(record->bytes)});
  }
  return false;
}

}  // namespace helios::kv::rocksdb
