// SPDX-License-Identifier: Apache-2.0

// Goal: one key for as long as the directory lives, for the owner alone, and no start with less.

#include "app/hmac_key.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <stdlib.h>

namespace helios::app {
namespace {

namespace fs = std::filesystem;

class HmacKeyFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string made = (fs::temp_directory_path() / "helios-key-XXXXXX").string();
    ASSERT_NE(::mkdtemp(made.data()), nullptr);
    folder_ = made;
  }
  void TearDown() override { fs::remove_all(folder_); }
  [[nodiscard]] fs::path file() const { return fs::path(folder_) / kHmacKeyFile; }
  void write(const std::string& bytes) const {
    std::ofstream(file(), std::ios::binary) << bytes;
    fs::permissions(file(), fs::perms::owner_read | fs::perms::owner_write);
  }
  [[nodiscard]] std::string error() const {
    const auto key = hmac_key_of(folder_);
    return key ? "" : key.error().message;
  }

  std::string folder_;
};

TEST_F(HmacKeyFile, is_made_once_for_the_owner_alone) {
  const auto first = hmac_key_of(folder_);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(fs::status(file()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  const auto second = hmac_key_of(folder_);
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(*second, *first);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
  EXPECT_NE(random_hmac_key(), *first);
}

TEST_F(HmacKeyFile, is_what_was_written) {
  plugins::HmacKey key;
  key.fill('k');
  ASSERT_TRUE(write_hmac_key(folder_, key));
  const auto read = hmac_key_of(folder_);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, key);
}

TEST_F(HmacKeyFile, that_a_start_has_not_finished_is_made_anew) {
  std::ofstream(file().string() + ".new") << "half";
  EXPECT_EQ(error(), "");
  EXPECT_FALSE(fs::exists(file().string() + ".new"));
}

TEST_F(HmacKeyFile, of_another_length_or_kind_is_refused) {
  for (const std::size_t bytes : {0U, 31U, 33U}) {
    write(std::string(bytes, 'k'));
    EXPECT_THAT(error(), testing::HasSubstr("is no key of 32 bytes: restore it from a backup"));
  }
  fs::remove(file());
  fs::create_directory(file());
  fs::permissions(file(), fs::perms::owner_all);
  EXPECT_THAT(error(), testing::HasSubstr("is no key of 32 bytes"));
  fs::remove(file());
  fs::create_symlink("/dev/zero", file());
  EXPECT_THAT(error(), testing::HasSubstr("cannot be opened"));
}

TEST_F(HmacKeyFile, that_others_may_read_is_refused) {
  write(std::string(32, 'k'));
  fs::permissions(file(), fs::perms::group_read, fs::perm_options::add);
  EXPECT_THAT(error(), testing::HasSubstr("chmod 600"));
}

TEST_F(HmacKeyFile, that_cannot_be_made_is_an_error) {
  folder_ += "/absent";
  EXPECT_THAT(error(), testing::HasSubstr("cannot be made"));
}

}  // namespace
}  // namespace helios::app
