// SPDX-License-Identifier: Apache-2.0
#include "kv/rocksdb/write_group.hpp"

#include "kv/rocksdb/stored_record.hpp"

namespace helios::kv::rocksdb {

void RecordBuffer::add(std::string_view space, const NumberedRecord& record) {
  Place place{.begin = data_.size(),
              .bytes = record.bytes.size(),
              .number = record.number,
              .time_ms = record.time_ms};
  put_stream(data_, space, record.stream);
  place.name_bytes = data_.size() - place.begin;
  data_ += record.bytes;
  places_.push_back(place);
}

void RecordBuffer::clear(std::size_t max_kept_bytes) {
  data_.clear();
  places_.clear();
  if (data_.capacity() + places_.capacity() * sizeof(Place) > max_kept_bytes) *this = {};
}

void WriteGroup::clear(std::size_t max_kept_bytes) {
  changes.Clear();
  if (changes.Data().capacity() > max_kept_bytes) changes = ::rocksdb::WriteBatch();
  records.clear(max_kept_bytes);
  drops.clear();
}

}  // namespace helios::kv::rocksdb
