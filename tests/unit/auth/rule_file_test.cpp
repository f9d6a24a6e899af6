// SPDX-License-Identifier: Apache-2.0
//
// Files that include others, and lists from files: what becomes of them, and of those that are not there, include
// themselves, or have no end.

#include "auth/rule_file.hpp"

#include "memory_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace helios::auth {
namespace {

using testing::HasSubstr;

std::vector<RuleRecord> records_of(const MemoryFiles& files) {
  RuleProblems problems;
  std::vector<RuleRecord> records;
  const auto done = read_rule_file("main", files.reader(), problems,
                                   [&](const auto& record) { records.push_back(record); });
  EXPECT_TRUE(done && !problems.any());
  return records;
}

std::string line_of(const RuleRecord& record) {
  std::string text = record.place.line_text();
  for (const auto& field : record.fields) {
    text += "|";
    for (const auto& token : field) text += (&token == &field[0] ? "" : ",") + token.text;
  }
  return text + "\n";
}

// One line for each record: its place, then its fields between '|'.
std::string read(const MemoryFiles& files, const std::string& path = "main") {
  RuleProblems problems;
  std::string text;
  const auto done = read_rule_file(path, files.reader(), problems,
                                   [&](const auto& record) { text += line_of(record); });
  if (!done) return "unreadable: " + done.error().message;
  return problems.any() ? problems.message() : text;
}

TEST(RuleFile, records_have_place_text_and_end) {
  const MemoryFiles files{{{"main", "# x\n\n  a \\\n b # c\n"}}};
  const auto records = records_of(files);
  ASSERT_EQ(records.size(), 1U);
  const auto& record = records[0];
  EXPECT_EQ(record.place.text(), "main:3:3");
  EXPECT_EQ(record.text, "a  b # c");
  EXPECT_EQ(record.fields[1][0].place.text(), "main:4:2");
  EXPECT_EQ(record.end.text(), "main:4:3");
}

TEST(RuleFile, include_stands_for_the_records_of_the_file) {
  EXPECT_EQ(read({{{"main", "a\ninclude b\nc\n"}, {"b", "d\ne"}}}),
            "main:1|a\nb:1|d\nb:2|e\nmain:3|c\n");
  EXPECT_EQ(read({{{"main", "include \"b c\"\n"}, {"b c", "d"}}}), "b c:1|d\n");
}

TEST(RuleFile, path_is_relative_to_the_folder_of_the_file_it_stands_in) {
  EXPECT_EQ(
      read({{{"/etc/main", "include sub/b\n"}, {"/etc/sub/b", "include c\n"}, {"/etc/sub/c", "d"}}},
           "/etc/main"),
      "/etc/sub/c:1|d\n");
  EXPECT_EQ(read({{{"/etc/main", "include /b\n"}, {"/b", "d"}}}, "/etc/main"), "/b:1|d\n");
}

TEST(RuleFile, include_of_a_file_that_is_not_there_is_an_error) {
  EXPECT_EQ(read({{{"main", "a\n include b\n"}}}),
            "main:2:10: cannot be included: b: is not there");
}

TEST(RuleFile, include_if_exists_passes_over_that_and_nothing_else) {
  MemoryFiles files{{{"main", "include_if_exists b\nc\n"}}};
  EXPECT_EQ(read(files), "main:2|c\n");
  files.locked = {"b"};
  EXPECT_EQ(read(files), "main:1:19: cannot be included: b: is locked");
  files = {{{"main", "include_if_exists b\nc\n"}, {"b", "d"}}};
  EXPECT_EQ(read(files), "b:1|d\nmain:2|c\n");
}

TEST(RuleFile, include_dir_reads_conf_files_by_name) {
  const MemoryFiles files{{{"/e/main", "include_dir d\n"},
                           {"/e/d/b.conf", "b"},
                           {"/e/d/a.conf", "a"},
                           {"/e/d/B.conf", "B"},
                           {"/e/d/.c.conf", "c"},
                           {"/e/d/d.conf~", "d"}}};
  EXPECT_EQ(read(files, "/e/main"), "/e/d/B.conf:1|B\n/e/d/a.conf:1|a\n/e/d/b.conf:1|b\n");
  EXPECT_EQ(read({{{"main", "include_dir d/\n"}}}),
            "main:1:13: cannot be included: d/: is not there");
}

TEST(RuleFile, folder_relative_to_the_file_is_looked_up_once) {
  EXPECT_EQ(read({{{"e/main", "include_dir d\n"}, {"e/d/a.conf", "a"}}}, "e/main"),
            "e/d/a.conf:1|a\n");
}

TEST(RuleFile, include_takes_one_path) {
  for (const char* line : {"include", "include a b", "include a,b", "include,include a",
                           "include_dir a b", "include_if_exists a b"}) {
    EXPECT_THAT(read({{{"main", line}, {"a", "x"}}}), HasSubstr("main:1:1: include")) << line;
  }
}

TEST(RuleFile, list_from_a_file_stands_for_its_token) {
  EXPECT_EQ(read({{{"main", "x a,@l,b y\n"}, {"l", "# names\nc, d\n\"e f\" g\n"}}}),
            "main:1|x|a,c,d,e f,g,b|y\n");
  EXPECT_EQ(read({{{"main", "@l\n"}, {"l", "@m a\n"}, {"m", "b\n"}}}), "main:1|b,a\n");
  EXPECT_EQ(read({{{"main", "\"@l\" @\n"}, {"l", "a"}}}), "main:1|@l|@\n");
}

TEST(RuleFile, tokens_of_a_list_have_their_own_place) {
  const MemoryFiles files{{{"main", "@l\n"}, {"l", "\n a\n"}}};
  EXPECT_EQ(records_of(files).at(0).fields[0][0].place.text(), "l:2:2");
}

TEST(RuleFile, list_without_names_is_an_error) {
  EXPECT_EQ(read({{{"main", "a @l\n"}, {"l", "# nobody\n"}}}),
            "main:1:3: \"@l\": the file names nothing; take this line out, or put a name into the "
            "file");
  EXPECT_EQ(read({{{"main", "a @l\n"}}}), "main:1:3: cannot be included: l: is not there");
  EXPECT_EQ(read({{{"main", "a @l\n"}, {"l", "\"\n"}}}),
            "l:1:1: this quote is not closed: put a '\"' behind the name");
}

TEST(RuleFile, file_that_includes_itself_is_an_error) {
  EXPECT_THAT(read({{{"main", "include main\n"}}}),
              HasSubstr("main:1:9: \"main\" includes itself"));
  EXPECT_THAT(read({{{"main", "include b\n"}, {"b", "\n @main\n"}}}),
              HasSubstr("b:2:2: \"main\" includes itself"));
  EXPECT_THAT(read({{{"main", "include_dir d\n"}, {"d/a.conf", "include a.conf\n"}}}),
              HasSubstr("d/a.conf:1:9: \"d/a.conf\" includes itself"));
  EXPECT_EQ(read({{{"main", "include b\ninclude b\n"}, {"b", "a"}}}), "b:1|a\nb:1|a\n")
      << "twice is no cycle";
}

TEST(RuleFile, ten_files_may_be_within_each_other) {
  MemoryFiles files;
  const auto name = [](int i) { return i == 0 ? std::string("main") : "f" + std::to_string(i); };
  for (int i = 0; i < 10; ++i) files.texts[name(i)] = "include " + name(i + 1) + "\n";
  files.texts["f10"] = "a";
  EXPECT_EQ(read(files), "f10:1|a\n");
  files.texts["f10"] = "include f11\n";
  files.texts["f11"] = "a";
  EXPECT_EQ(read(files), "f10:1:9: \"f11\" would be more than ten files within each other");
}

TEST(RuleFile, cycle_of_many_names_for_one_file_ends) {
  MemoryFiles files;
  std::string prefix;
  for (int i = 0; i < 12; ++i, prefix += "./") files.texts[prefix + "main"] = "include ./main\n";
  EXPECT_THAT(read(files), HasSubstr("more than ten files within each other"));
}

TEST(RuleFile, file_that_cannot_be_read_is_its_own_error) {
  EXPECT_EQ(read({{}}), "unreadable: main: is not there");
}

TEST(RuleFile, files_lines_and_records_have_limits) {
  const std::string large(FileReader::kMaxBytes + 1, '\n');
  EXPECT_EQ(read({{{"main", large}}}), "main:1:1: the file is larger than 1 MiB");
  EXPECT_EQ(read({{{"main", "include b"}, {"b", large}}}), "b:1:1: the file is larger than 1 MiB");
  EXPECT_EQ(read({{{"main", large.substr(1)}}}), "");
  EXPECT_EQ(read({{{"main", "\n" + std::string(70'000, 'a')}}}),
            "main:2:1: this line, with those that continue it, is longer than 64 KiB");
  std::string records;
  for (int i = 0; i < 10'000; ++i) records += "a\n";
  EXPECT_THAT(read({{{"main", records}}}), HasSubstr("main:10000|a"));
  EXPECT_EQ(read({{{"main", records + "a\n"}}}), "main:10001:1: more than 10000 records");
}

TEST(RuleFile, words_of_all_files_have_a_limit) {
  std::string list;
  for (int i = 0; i < 100'000; ++i) list += "a\n";
  EXPECT_EQ(read({{{"main", "@l @l\n@l @l\n@l @l\n"}, {"l", list}}}),
            "l:99996:1: the files have more than 500000 words in all");
}

TEST(RuleFile, files_that_are_read_have_a_limit) {
  std::string main;
  for (int i = 0; i < 10'001; ++i) main += "include b\n";
  EXPECT_EQ(read({{{"main", main}, {"b", ""}}}),
            "b:1:1: the files that are included are more than 10000, or 64 MiB");
}

}  // namespace
}  // namespace helios::auth
