// SPDX-License-Identifier: Apache-2.0

#include "kv/rocksdb/stored_entry.hpp"

#include <gtest/gtest.h>

#include <string>

namespace helios::kv::rocksdb {
namespace {

std::string stored_value(Version version, ExpiryMs expires_at_ms, std::string_view value) {
  const auto head = entry_head(version, expires_at_ms);
  return std::string(head.begin(), head.end()).append(value);
}

TEST(StoredEntry, what_is_written_is_read) {
  const std::string key = entry_prefix("dedup") + std::string("k\0\xff", 3);
  const std::string value = stored_value(7, 1234, "v");
  const auto entry = parse_entry(key, value);
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->space, "dedup");
  EXPECT_EQ(entry->key, std::string_view("k\0\xff", 3));
  EXPECT_EQ(entry->value, "v");
  EXPECT_EQ(entry->version, 7U);
  EXPECT_EQ(entry->expires_at_ms, 1234);
}

TEST(StoredEntry, empty_value_is_a_value) {
  const std::string value = stored_value(1, kNeverExpires, "");
  const auto entry = parse_entry(entry_prefix("a") + "k", value);
  ASSERT_TRUE(entry);
  EXPECT_TRUE(entry->value.empty());
}

TEST(StoredEntry, foreign_bytes_are_refused) {
  const std::string good = stored_value(1, kNeverExpires, "v");
  EXPECT_FALSE(parse_entry("", good));
  EXPECT_FALSE(parse_entry("e", good));
  EXPECT_FALSE(parse_entry(entry_prefix("name"), good)) << "no key";
  EXPECT_FALSE(parse_entry(std::string("e\0k", 3), good)) << "no namespace";
  EXPECT_FALSE(parse_entry("e\x09short", good)) << "shorter than its name";
  EXPECT_FALSE(parse_entry("x\x01nk", good)) << "another tag";
  EXPECT_FALSE(parse_entry("e\x01nk", good.substr(0, 15))) << "no expiry";
  EXPECT_FALSE(parse_entry("e\x01nk", stored_value(kAbsent, 0, ""))) << "no version";
}

TEST(StoredEntry, number_is_eight_bytes) {
  const Number bytes = to_bytes(0x0102030405060708);
  EXPECT_EQ(to_number({bytes.data(), bytes.size()}), 0x0102030405060708U);
  EXPECT_FALSE(to_number({bytes.data(), 7}));
  EXPECT_FALSE(to_number(""));
}

}  // namespace
}  // namespace helios::kv::rocksdb
