// SPDX-License-Identifier: Apache-2.0
#include "kv/entry_table.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace helios::kv {
namespace {

WriteRecord set(std::string key, std::string value, ExpiryMs expires_at_ms = kNeverExpires) {
  return {.key = std::move(key), .value = std::move(value), .expires_at_ms = expires_at_ms};
}

WriteRecord erase(std::string key) { return {.key = std::move(key), .is_erase = true}; }

Growth apply(EntryTable& table, const std::vector<WriteRecord>& writes) {
  const Growth planned = table.plan(writes);
  table.apply(writes, 1);
  return planned;
}

TEST(EntryTable, growth_foretells_what_apply_changes) {
  EntryTable table;
  apply(table, {set("kept", "12345"), set("gone", "12345"), set("same", "1")});
  const std::vector<WriteRecord> writes{set("kept", "123"), erase("gone"), erase("never"),
                                        set("new", "1234"), set("same", "2")};
  const Usage before = table.usage();
  const Growth growth = table.growth(writes);
  const Growth planned = apply(table, writes);
  EXPECT_EQ(planned.keys, growth.keys);
  EXPECT_EQ(planned.bytes, growth.bytes);
  EXPECT_EQ(table.usage().keys, before.keys + static_cast<std::uint64_t>(growth.keys));
  EXPECT_EQ(table.usage().bytes, before.bytes + static_cast<std::uint64_t>(growth.bytes));
  EXPECT_EQ(growth.keys, 0);
  EXPECT_EQ(growth.bytes, -2 - 2);  // "kept" shrinks; "new" = "1234" is 2 shorter than what goes
}

TEST(EntryTable, growth_with_ignored_key_leaves_its_write_out) {
  const EntryTable table;
  const std::vector<WriteRecord> writes{set("a", "1"), set("b", "22")};
  EXPECT_EQ(table.growth(writes, "a").keys, 1);
  EXPECT_EQ(table.growth(writes, "a").bytes, static_cast<std::int64_t>(entry_bytes(1, 2)));
}

TEST(EntryTable, remove_expired_takes_the_oldest_first_and_no_more_than_asked) {
  EntryTable table;
  apply(table, {set("c", "v", 30), set("a", "v", 10), set("b", "v", 20), set("forever", "v")});
  EXPECT_EQ(table.remove_expired(9, 10).keys, 0);
  EXPECT_EQ(table.remove_expired(30, 1).keys, -1);
  EXPECT_EQ(table.find("a"), nullptr);
  EXPECT_EQ(table.remove_expired(20, 10).keys, -1);
  EXPECT_EQ(table.find("b"), nullptr);
  EXPECT_NE(table.find("c"), nullptr);
  EXPECT_TRUE(table.has_expiring());
  EXPECT_EQ(table.remove_expired(30, 10).bytes, -static_cast<std::int64_t>(entry_bytes(1, 1)));
  EXPECT_FALSE(table.has_expiring());
  EXPECT_EQ(table.usage().keys, 1U);
}

TEST(EntryTable, expiry_is_forgotten_with_its_entry) {
  EntryTable table;
  apply(table, {set("a", "v", 10), set("b", "v", 10)});
  apply(table, {erase("a"), set("b", "v")});
  EXPECT_FALSE(table.has_expiring());
  EXPECT_EQ(table.remove_expired(100, 10).keys, 0);
  EXPECT_NE(table.find("b"), nullptr);
}

// Otherwise a guest could hold far more memory than it is charged for, by shrinking large values.
TEST(EntryTable, shrunk_value_gives_its_memory_back) {
  EntryTable table;
  apply(table, {set("k", std::string(64 * 1024, 'v'))});
  apply(table, {set("k", "small")});
  EXPECT_LT(table.find("k")->value.capacity(), 200U);
}

}  // namespace
}  // namespace helios::kv
