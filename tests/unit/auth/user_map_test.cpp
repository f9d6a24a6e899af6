// SPDX-License-Identifier: Apache-2.0
//
// pg_ident.conf: who may be whom, and what is wrong with it.

#include "auth/user_map.hpp"

#include "memory_files.hpp"
#include "support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace helios::auth {
namespace {

using testing::StartsWith;

std::shared_ptr<const UserMap> map_of(const std::string& text, MemoryFiles files = {{}}) {
  files.texts["pg_ident.conf"] = text;
  auto map = UserMap::read("pg_ident.conf", files.reader());
  EXPECT_TRUE(map) << map.error().message;
  return map ? *map : std::make_shared<const UserMap>();
}

std::string errors_of(const std::string& text) {
  const MemoryFiles files{{{"f", text}}};
  const auto map = UserMap::read("f", files.reader());
  return map ? "no error" : map.error().message;
}

// Example 21.2 of the manual.
TEST(UserMap, example_of_the_manual_allows_what_it_says) {
  const auto map = map_of(
      "# MAPNAME       SYSTEM-USERNAME         PG-USERNAME\n"
      "omicron         bryanh                  bryanh\n"
      "omicron         ann                     ann\n"
      "# bob has user name robert on these machines\n"
      "omicron         robert                  bob\n"
      "# bryanh can also connect as guest1\n"
      "omicron         bryanh                  guest1\n");
  EXPECT_TRUE(map->allows("omicron", "bryanh", "bryanh"));
  EXPECT_TRUE(map->allows("omicron", "bryanh", "guest1"));
  EXPECT_FALSE(map->allows("omicron", "bryanh", "ann"));
  EXPECT_TRUE(map->allows("omicron", "robert", "bob"));
  EXPECT_FALSE(map->allows("omicron", "robert", "robert"));
  EXPECT_FALSE(map->allows("omicron", "bob", "bob")) << "with a map, equal names are not enough";
}

TEST(UserMap, without_a_map_the_names_must_be_equal) {
  const UserMap map;
  EXPECT_TRUE(map.allows("", "ann", "ann"));
  EXPECT_FALSE(map.allows("", "ann", "Ann"));
  EXPECT_FALSE(map.allows("", "", "")) << "nobody is nobody's equal";
}

TEST(UserMap, map_that_no_record_has_allows_nothing) {
  const auto map = map_of("m a b\n");
  EXPECT_TRUE(map->has("m"));
  EXPECT_FALSE(map->has("n"));
  EXPECT_FALSE(map->has(""));
  EXPECT_FALSE(map->allows("n", "a", "b"));
  EXPECT_FALSE(map->allows("n", "a", "a"));
  EXPECT_FALSE(map_of("")->has("m")) << "a file without records is fine";
}

TEST(UserMap, all_is_every_database_user_unless_quoted) {
  const auto map = map_of("m root all\nm root x\nm guest \"all\"\nm all y\n");
  EXPECT_TRUE(map->allows("m", "root", "anybody"));
  EXPECT_FALSE(map->allows("m", "guest", "anybody"));
  EXPECT_TRUE(map->allows("m", "guest", "all"));
  EXPECT_FALSE(map->allows("m", "anybody", "y")) << "of system users it is a name";
  EXPECT_TRUE(map->allows("m", "all", "y"));
}

TEST(UserMap, names_may_be_quoted_and_files_included) {
  const auto map = map_of("m \"CN=a b,O=c\" d\ninclude more\n", {{{"more", "/n e f\n"}}});
  EXPECT_TRUE(map->allows("m", "CN=a b,O=c", "d"));
  EXPECT_TRUE(map->allows("/n", "e", "f"));
}

TEST(UserMap, mistakes_are_named_with_their_place) {
  struct Case {
    const char* line;
    const char* error;
  };
  const Case cases[] = {
      {"m", "f:1:2: the line ends before the system user"},
      {"m a # b", "f:1:4: the line ends before the database user"},
      {"m a b c", "f:1:7: there are three columns: quote a name that has blanks in it"},
      {"m,n a b", "f:1:3: a list cannot stand for the map's name: write a line for each"},
      {"m a,c b", "f:1:5: a list cannot stand for the system user"},
      {"m a b,c", "f:1:7: a list cannot stand for the database user"},
      {"m /^(.*)@x$ \\1", "f:1:3: regular expressions are not supported here"},
      {"m \"/a\" b", "f:1:3: regular expressions are not supported here"},
      {"m a /^b", "f:1:5: regular expressions are not supported here"},
      {"m a +b", "f:1:5: \"+b\": the proxy does not know who is a member of a role"},
      {"\"\" a b", "f:1:1: a name cannot be empty"},
      {"m \"\" b", "f:1:3: a name cannot be empty"},
      {"m a \"\"", "f:1:5: a name cannot be empty"},
      {"m \"a b", "f:1:3: this quote is not closed"},
  };
  for (const auto& each : cases)
    EXPECT_THAT(errors_of(each.line), StartsWith(each.error)) << each.line;
  EXPECT_EQ(errors_of("m a \"+b\"\n"), "no error");
  EXPECT_EQ(errors_of("m\nm a /\n"),
            "f:1:2: the line ends before the system user\n"
            "f:2:5: regular expressions are not supported here: write the names");
}

TEST(UserMap, load_reads_the_file_system) {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() + "/pg_ident.conf";
  EXPECT_EQ(UserMap::load(path).error().code, base::Errc::not_found);
  std::ofstream(path) << "m a b\n";
  const auto map = UserMap::load(path);
  ASSERT_TRUE(map) << map.error().message;
  EXPECT_TRUE((*map)->allows("m", "a", "b"));
}

}  // namespace
}  // namespace helios::auth
