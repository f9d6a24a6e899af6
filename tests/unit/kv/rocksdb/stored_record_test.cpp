// SPDX-License-Identifier: Apache-2.0

// The bytes of format 2: a change here is a new format.

#include "kv/rocksdb/stored_record.hpp"

#include <gtest/gtest.h>

#include <string>

namespace helios::test {
namespace {

using namespace std::string_literals;
using namespace kv::rocksdb;

TEST(StoredRecord, key_has_the_names_with_their_lengths_and_the_number_big_endian) {
  std::string key(1, kRecordTag);
  put_stream(key, "ns", "log");
  put_number(key, 0x0102);
  EXPECT_EQ(key, "r\x02ns\x03log\0\0\0\0\0\0\x01\x02"s);
  EXPECT_EQ(number_of(key), 0x0102U);
}

TEST(StoredRecord, keys_of_records_lie_in_the_order_of_their_numbers) {
  const auto key = [](kv::RecordNumber number) {
    std::string made;
    put_number(made, number);
    return made;
  };
  EXPECT_LT(key(255), key(256));
  EXPECT_LT(key(65'535), key(65'536));
}

TEST(StoredRecord, head_is_read_as_it_was_written) {
  StreamHead head{.extent = {.first = 3, .next = 10, .bytes = 77, .last_time_ms = -5}};
  head.before.fill(1);
  head.last.fill(2);
  const std::string value = head_value(head);
  EXPECT_EQ(value.size(), kStreamHeadBytes);
  EXPECT_EQ(value.substr(0, 9), "\x03\0\0\0\0\0\0\0\x0a"s);
  const auto read = parse_head(value);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->extent, head.extent);
  EXPECT_EQ(read->before, head.before);
  EXPECT_EQ(read->last, head.last);
}

TEST(StoredRecord, other_bytes_are_no_head) {
  const std::string value = head_value({.extent = {.first = 3, .next = 10}});
  EXPECT_FALSE(parse_head(value.substr(1)));
  EXPECT_FALSE(parse_head(value + "x"));
  EXPECT_FALSE(parse_head(head_value({.extent = {.first = 4, .next = 3}})));
  EXPECT_FALSE(parse_head(head_value({.extent = {.first = 0, .next = 3}})));
  for (const auto& key : {""s, "h"s, "h\x02n"s, "h\x02ns"s, "h\x02ns\x03lo"s, "h\x02ns\x03logx"s,
                          "h\0\x03log"s, "r\x02ns\x03log"s}) {
    EXPECT_FALSE(parse_head_key(key)) << key;
  }
  const auto name = parse_head_key("h\x02ns\x03log");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->space, "ns");
  EXPECT_EQ(name->stream, "log");
}

TEST(StoredRecord, record_has_time_and_digest_in_front_of_its_bytes) {
  const std::string value = "\x05\0\0\0\0\0\0\0"s + std::string(32, 'd') + "bytes";
  const auto record = parse_record(value);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->time_ms, 5);
  EXPECT_EQ(record->digest[31], 'd');
  EXPECT_EQ(record->bytes, "bytes");
  EXPECT_TRUE(parse_record(value.substr(0, kRecordHeadBytes)));
  EXPECT_FALSE(parse_record(value.substr(0, kRecordHeadBytes - 1)));
}

}  // namespace
}  // namespace helios::test
