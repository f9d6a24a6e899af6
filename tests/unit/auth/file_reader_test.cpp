// SPDX-License-Identifier: Apache-2.0
//
// The file system as the readers of rules see it.

#include "auth/file_reader.hpp"

#include "support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <sys/stat.h>

namespace helios::auth {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using testing::UnorderedElementsAre;

TEST(RealFiles, content_is_read_as_it_is) {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() + "/f";
  std::ofstream(path) << "a\r\nb";
  EXPECT_EQ(real_files().read(path).value(), "a\r\nb");
}

TEST(RealFiles, only_a_name_that_is_not_there_is_not_found) {
  const test::TemporaryFolder folder;
  const auto missing = real_files().read(folder.path() + "/f");
  EXPECT_EQ(missing.error().code, base::Errc::not_found);
  EXPECT_THAT(missing.error().message, StartsWith(folder.path() + "/f: cannot be opened: "));
  EXPECT_EQ(real_files().read(folder.path()).error().code, base::Errc::invalid) << "a folder";
  std::ofstream(folder.path() + "/f") << "a";
  EXPECT_EQ(real_files().read(folder.path() + "/f/g").error().code, base::Errc::unavailable);
}

TEST(RealFiles, pipe_holds_nobody_up) {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() + "/pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_THAT(real_files().read(path).error().message, HasSubstr("is not a regular file"));
}

TEST(RealFiles, file_has_at_most_1_mib) {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() + "/f";
  std::ofstream(path) << std::string(FileReader::kMaxBytes, 'a');
  EXPECT_EQ(real_files().read(path)->size(), FileReader::kMaxBytes);
  std::ofstream(path, std::ios::app) << 'a';
  EXPECT_EQ(real_files().read(path).error().code, base::Errc::limit_exceeded);
}

TEST(RealFiles, folder_is_listed_without_folders_in_it) {
  const test::TemporaryFolder folder;
  std::ofstream(folder.path() + "/a.conf") << "a";
  std::ofstream(folder.path() + "/.b") << "b";
  std::filesystem::create_directory(folder.path() + "/c.conf");
  std::filesystem::create_symlink("nowhere", folder.path() + "/d.conf");
  EXPECT_THAT(real_files().list(folder.path()).value(),
              UnorderedElementsAre("a.conf", ".b", "d.conf"));
  EXPECT_EQ(real_files().list(folder.path() + "/none").error().code, base::Errc::not_found);
  EXPECT_EQ(real_files().list(folder.path() + "/a.conf").error().code, base::Errc::unavailable);
}

}  // namespace
}  // namespace helios::auth
