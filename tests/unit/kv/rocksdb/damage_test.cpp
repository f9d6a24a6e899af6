// SPDX-License-Identifier: Apache-2.0

// Directories that cannot be opened, and what is said then.

#include "disk_fixture.hpp"
#include "kv/rocksdb/database.hpp"
#include "kv/rocksdb/stored_entry.hpp"

#include <gmock/gmock.h>
#include <rocksdb/db.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace helios::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

class Damage : public DiskFixture {
 protected:
  Damage() { disk_.open(); }

  // The log with the most in it.
  std::filesystem::path log_file() {
    std::filesystem::path longest;
    for (const auto& entry : std::filesystem::directory_iterator(disk_.options.directory + "/kv")) {
      if (entry.path().extension() != ".log") continue;
      if (longest.empty() || entry.file_size() > std::filesystem::file_size(longest)) {
        longest = entry.path();
      }
    }
    return longest;
  }

  static std::string bytes_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }

  // Writes past us.
  void store_number(std::string_view key, std::string_view value) {
    kv::rocksdb::DatabaseOptions wanted;
    wanted.directory = disk_.options.directory;
    const auto database = kv::rocksdb::Database::open(wanted, [](auto) {});
    ASSERT_TRUE(database);
    ::rocksdb::WriteBatch batch;
    ASSERT_TRUE(batch.Put(std::string(key), std::string(value)).ok());
    ASSERT_TRUE((*database)->write(batch).ok());
  }
};

TEST_F(Damage, directory_that_is_open_already_is_refused) {
  DiskStore second({}, clock_, kv::Durability::relaxed);
  second.options = disk_.options;
  try {
    second.open();
    FAIL() << "opened twice";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr(disk_.options.directory), HasSubstr("is in use by this process")));
  }
}

TEST_F(Damage, directory_that_another_process_has_open_is_refused_with_its_number) {
  disk_.close();
  const std::string lock_file = disk_.options.directory + "/kv/LOCK";
  int ready[2];
  int done[2];
  ASSERT_EQ(::pipe(ready) + ::pipe(done), 0);
  const pid_t other = ::fork();
  if (other == 0) {
    const int file = ::open(lock_file.c_str(), O_RDWR);
    char byte = ::lockf(file, F_LOCK, 0) == 0 ? 'y' : 'n';
    const bool told = ::write(ready[1], &byte, 1) == 1;
    ::_exit(told && ::read(done[0], &byte, 1) == 1 ? 0 : 1);
  }
  char byte = 'n';
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  for (const auto mode : {kv::rocksdb::OpenMode::create, kv::rocksdb::OpenMode::read_only}) {
    disk_.options.mode = mode;
    EXPECT_THAT(complaint(), HasSubstr("is in use by another process (process " +
                                       std::to_string(other) + "), and only one"));
  }
  ASSERT_EQ(::write(done[1], &byte, 1), 1);
  int status = 0;
  ASSERT_EQ(::waitpid(other, &status, 0), other);
  for (const int end : {ready[0], ready[1], done[0], done[1]}) ::close(end);
  EXPECT_THAT(complaint(), IsEmpty());
}

TEST_F(Damage, newer_format_is_refused) {
  disk_.close();
  const kv::rocksdb::Number three = kv::rocksdb::to_bytes(3);
  store_number(kv::rocksdb::kFormatKey, {three.data(), three.size()});
  EXPECT_THAT(complaint(), AllOf(HasSubstr("has format 3"), HasSubstr("knows format 2 at most")));
}

TEST_F(Damage, database_of_something_else_is_refused) {
  disk_.close();
  std::filesystem::remove_all(disk_.options.directory + "/kv");
  std::filesystem::create_directories(disk_.options.directory);
  ::rocksdb::Options options;
  options.create_if_missing = true;
  ::rocksdb::DB* db = nullptr;
  ASSERT_TRUE(::rocksdb::DB::Open(options, disk_.options.directory + "/kv", &db).ok());
  ASSERT_TRUE(db->Put({}, "theirs", "x").ok());
  delete db;
  EXPECT_THAT(complaint(), HasSubstr("holds a database of something else"));
  EXPECT_TRUE(::rocksdb::DB::Open({}, disk_.options.directory + "/kv", &db).ok())
      << "and its owner can still open it";
  delete db;
}

TEST_F(Damage, path_that_cannot_be_a_folder_is_refused) {
  disk_.close();
  const std::string file = disk_.options.directory + "/file";
  write_bytes(file, "x");
  disk_.options.directory = file;
  EXPECT_THAT(complaint(), HasSubstr("cannot be made"));
}

// A power failure leaves the beginning of the last record: it is cut, and all before it is there.
TEST_F(Damage, torn_tail_is_cut) {
  put("a", "1");
  disk_.wait_until(kv::Safety::handed_over);
  const auto path = log_file();
  const std::size_t whole = bytes_of(path).size();
  put("b", std::string(1000, 'x'));
  disk_.wait_until(kv::Safety::handed_over);
  disk_.abandon();
  const std::string log = bytes_of(path);
  ASSERT_GT(log.size(), whole + 900);
  const std::string before = disk_.options.directory;
  for (const std::size_t end : {whole + 1, whole + 7, whole + 500, log.size() - 1}) {
    TemporaryFolder copy;
    std::filesystem::copy(before, copy.path(), std::filesystem::copy_options::recursive);
    std::filesystem::resize_file(copy.path() + "/kv/" + path.filename().string(), end);
    disk_.options.directory = copy.path();
    disk_.open();
    EXPECT_EQ(content(), (Content{{"a", "1"}})) << "cut at " << end;
    disk_.close();
  }
}

TEST_F(Damage, damage_in_the_middle_is_refused_unless_it_is_to_be_salvaged) {
  put("a", "1");
  disk_.wait_until(kv::Safety::handed_over);
  const auto path = log_file();
  const std::size_t end_of_first = bytes_of(path).size();
  put("b", "2");
  disk_.wait_until(kv::Safety::handed_over);
  put("c", "3");
  disk_.abandon();
  std::string log = bytes_of(path);
  log[end_of_first + 20] ^= 1;
  write_bytes(path, log);
  EXPECT_THAT(complaint(),
              AllOf(HasSubstr("is damaged"), HasSubstr("restore a backup"), HasSubstr("salvage")));
  disk_.options.salvage = true;
  EXPECT_THAT(complaint(), IsEmpty());
  EXPECT_EQ(content(), (Content{{"a", "1"}}));
  disk_.options.salvage = false;
  reopen();
  EXPECT_EQ(content(), (Content{{"a", "1"}}));
}

// Some file systems leave this when the power fails. It cannot be told from damage to what had been on
// disk, so nobody decides about it but the operator.
TEST_F(Damage, end_of_the_log_that_is_not_what_was_written_is_refused_unless_it_is_to_be_salvaged) {
  put("a", "1");
  disk_.wait_until(kv::Safety::handed_over);
  const auto path = log_file();
  const std::size_t whole = bytes_of(path).size();
  put("b", std::string(1000, 'x'));
  disk_.wait_until(kv::Safety::handed_over);
  disk_.abandon();
  const std::string log = bytes_of(path);
  const std::string before = disk_.options.directory;
  const auto with_end = [&](std::size_t from, char byte) {
    return log.substr(0, from) + std::string(log.size() - from, byte);
  };
  for (const std::string& bytes : {with_end(whole + 500, '\0'), with_end(whole + 500, 'y')}) {
    TemporaryFolder copy;
    std::filesystem::copy(before, copy.path(), std::filesystem::copy_options::recursive);
    write_bytes(copy.path() + "/kv/" + path.filename().string(), bytes);
    disk_.options.directory = copy.path();
    disk_.options.salvage = false;
    EXPECT_THAT(complaint(), AllOf(HasSubstr("is damaged"), HasSubstr("restore a backup"),
                                   HasSubstr("salvage = true"), HasSubstr("kv stats --state")));
    disk_.options.salvage = true;
    EXPECT_THAT(complaint(), IsEmpty());
    EXPECT_EQ(content(), (Content{{"a", "1"}}));
    disk_.close();
  }
}

// What a file system leaves that knows the new length already, and not the bytes.
TEST_F(Damage, end_of_the_log_that_is_empty_is_cut) {
  put("a", "1");
  disk_.wait_until(kv::Safety::handed_over);
  const auto path = log_file();
  disk_.abandon();
  const std::string log = bytes_of(path);
  const std::string before = disk_.options.directory;
  for (const std::size_t zeros : {1, 5000, 100'000}) {
    TemporaryFolder copy;
    std::filesystem::copy(before, copy.path(), std::filesystem::copy_options::recursive);
    write_bytes(copy.path() + "/kv/" + path.filename().string(), log + std::string(zeros, '\0'));
    disk_.options.directory = copy.path();
    disk_.open();
    EXPECT_EQ(content(), (Content{{"a", "1"}})) << zeros;
    disk_.close();
  }
}

}  // namespace
}  // namespace helios::test
