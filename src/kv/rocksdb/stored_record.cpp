// SPDX-License-Identifier: Apache-2.0
#include "kv/rocksdb/stored_record.hpp"

#include <bit>
#include <cstdint>
#include <cstring>

namespace helios::kv::rocksdb {
namespace {

void put_name(std::string& out, std::string_view name) {
  out += static_cast<char>(name.size());
  out += name;
}

// Takes a name off the front of `rest`; nullopt when it is cut short.
std::optional<std::string_view> take_name(std::string_view& rest) {
  if (rest.empty()) return std::nullopt;
  const auto bytes = static_cast<unsigned char>(rest.front());
  if (bytes == 0 || rest.size() < 1U + bytes) return std::nullopt;
  const std::string_view name = rest.substr(1, bytes);
  rest.remove_prefix(1U + bytes);
  return name;
}

template <typename Value>
void put(std::string& out, const Value& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <typename Value>
void take(std::string_view& rest, Value& value) {
  std::memcpy(&value, rest.data(), sizeof value);
  rest.remove_prefix(sizeof value);
}

}  // namespace

void put_stream(std::string& out, std::string_view space, std::string_view stream) {
  put_name(out, space);
  put_name(out, stream);
}

void put_number(std::string& out, RecordNumber number) { put(out, std::byteswap(number)); }

std::optional<StreamName> parse_head_key(std::string_view key) {
  if (key.empty() || key.front() != kHeadTag) return std::nullopt;
  key.remove_prefix(1);
  const auto space = take_name(key);
  if (!space) return std::nullopt;
  const auto stream = take_name(key);
  if (!stream || !key.empty()) return std::nullopt;
  return StreamName{.space = *space, .stream = *stream};
}

std::string head_value(const StreamHead& head) {
  std::string out;
  out.reserve(kStreamHeadBytes);
  put(out, head.extent.first);
  put(out, head.extent.next);
  put(out, head.extent.bytes);
  put(out, head.extent.last_time_ms);
  out += base::bytes_of(head.before);
  out += base::bytes_of(head.last);
  return out;
}

std::optional<StreamHead> parse_head(std::string_view value) {
  if (value.size() != kStreamHeadBytes) return std::nullopt;
  StreamHead head;
  take(value, head.extent.first);
  take(value, head.extent.next);
  take(value, head.extent.bytes);
  take(value, head.extent.last_time_ms);
  take(value, head.before);
  take(value, head.last);
  const bool is_one = head.extent.first >= 1 && head.extent.first <= head.extent.next;
  return is_one ? std::optional(head) : std::nullopt;
}

void put_record_value(std::string& out, const StreamRecord& record) {
  put(out, record.time_ms);
  out += base::bytes_of(record.digest);
  out += record.bytes;
}

std::optional<StoredRecord> parse_record(std::string_view value) {
  if (value.size() < kRecordHeadBytes) return std::nullopt;
  StoredRecord record;
  take(value, record.time_ms);
  take(value, record.digest);
  record.bytes = value;
  return record;
}

RecordNumber number_of(std::string_view key) {
  RecordNumber number = 0;
  std::memcpy(&number, key.data() + key.size() - kRecordNumberBytes, kRecordNumberBytes);
  return std::byteswap(number);
}

}  // namespace helios::kv::rocksdb
