// SPDX-License-Identifier: Apache-2.0
#include "kv/record_list.hpp"

#include <gtest/gtest.h>

#include <string>

namespace helios::kv {
namespace {

struct Record {
  std::string key;
  int number = 0;
};

void add(RecordList<Record>& list, const std::string& key, int number) {
  list.add([&](Record& record) {
    record.key = key;
    record.number = number;
  });
}

// Beyond the size at which the list is hashed, and through several growths of the table.
TEST(RecordList, find_at_every_size_finds_each_record_and_nothing_else) {
  RecordList<Record> list;
  for (int size = 0; size < 200; ++size) {
    for (int i = 0; i < size; ++i) {
      const Record* found = list.find("key" + std::to_string(i));
      ASSERT_NE(found, nullptr) << i << " of " << size;
      ASSERT_EQ(found->number, i);
    }
    ASSERT_EQ(list.find("key" + std::to_string(size)), nullptr);
    add(list, "key" + std::to_string(size), size);
  }
  EXPECT_EQ(list.view().front().key, "key0");
  EXPECT_EQ(list.view().back().key, "key199");
}

TEST(RecordList, clear_forgets_records_also_when_hashed) {
  RecordList<Record> list;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 50; ++i) {
      const std::string key = std::to_string(round) + ":" + std::to_string(i);
      EXPECT_EQ(list.find(key), nullptr);
      add(list, key, i);
    }
    EXPECT_EQ(list.size(), 50U);
    list.clear();
    EXPECT_EQ(list.size(), 0U);
    EXPECT_TRUE(list.view().empty());
    EXPECT_EQ(list.find(std::to_string(round) + ":0"), nullptr);
  }
}

TEST(RecordList, clear_keeps_storage_and_release_gives_it_back) {
  RecordList<Record> list;
  add(list, std::string(100, 'k'), 1);
  const char* storage = list.view()[0].key.data();
  list.clear();
  add(list, std::string(90, 'j'), 2);
  EXPECT_EQ(list.view()[0].key.data(), storage);
  list.release();
  EXPECT_EQ(list.size(), 0U);
  add(list, "k", 3);
  EXPECT_EQ(list.find("k")->number, 3);
}

TEST(RecordList, add_may_view_another_record_while_the_list_grows) {
  RecordList<Record> list;
  add(list, "a", 0);  // short: its bytes lie in the record itself and move with it
  for (int i = 1; i < 20; ++i) {
    const std::string_view last = list.view().back().key;
    list.add([&](Record& record) { record.key = std::string(last) + "a"; });
  }
  EXPECT_EQ(list.view().back().key, std::string(20, 'a'));
}

}  // namespace
}  // namespace helios::kv
