// SPDX-License-Identifier: Apache-2.0
#include "anchors/anchor_file.hpp"

#include "support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include <sys/stat.h>

namespace helios::anchors {
namespace {

class AnchorFileTest : public testing::Test {
 protected:
  [[nodiscard]] std::string content() const {
    std::ifstream file(path_);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  test::TemporaryFolder folder_;
  const std::string path_ = folder_.path() + "/anchors";
};

TEST_F(AnchorFileTest, lines_are_added_to_a_file_for_the_owner_alone) {
  ASSERT_TRUE(append_line(path_, "one"));
  ASSERT_TRUE(append_line(path_, "two"));
  EXPECT_EQ(content(), "one\ntwo\n");
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST_F(AnchorFileTest, half_a_line_stays_one_of_its_own) {
  std::ofstream(path_) << "one\nha";
  ASSERT_TRUE(append_line(path_, "two"));
  EXPECT_EQ(content(), "one\nha\ntwo\n");
}

TEST_F(AnchorFileTest, what_is_no_file_is_an_error) {
  const auto in_nothing = append_line(folder_.path() + "/no/anchors", "one");
  ASSERT_FALSE(in_nothing);
  EXPECT_EQ(in_nothing.error().message,
            folder_.path() + "/no/anchors cannot be opened: No such file or directory");
  ASSERT_FALSE(append_line(folder_.path(), "one"));
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  const auto in_pipe = append_line(path_, "one");
  ASSERT_FALSE(in_pipe);
  EXPECT_EQ(in_pipe.error().message, path_ + " is no regular file");
}

TEST_F(AnchorFileTest, full_disk_is_an_error) { EXPECT_FALSE(append_line("/dev/full", "one")); }

}  // namespace
}  // namespace helios::anchors
