// SPDX-License-Identifier: Apache-2.0
// Values in the text format of COPY, read back as PostgreSQL reads them; the integration test asks PostgreSQL itself.

#include "cli/audit_copy.hpp"

#include "cli/audit_statement.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace helios::cli {
namespace {

// "COPY", File Formats, Text Format: what a backslash and a character stand for.
std::string read_back(std::string_view field) {
  std::string out;
  for (std::size_t i = 0; i < field.size(); ++i) {
    if (field[i] != '\\') {
      out += field[i];
      continue;
    }
    const char c = field[++i];
    out += c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
  }
  return out;
}

TEST(AuditCopy, any_text_is_one_field_that_reads_back_as_it_was) {
  std::mt19937 random(3);
  constexpr std::string_view kAlphabet = "\\\n\r\tNnrt.x'\"\x01\x08\x0b\x7f 0";
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (std::size_t size = random() % 12; size > 0; --size)
      text += kAlphabet[random() % kAlphabet.size()];
    const std::string field = copy_escaped(text);
    EXPECT_EQ(field.find_first_of("\t\n\r"), std::string::npos);
    EXPECT_NE(field, "\\N");
    EXPECT_NE(field, "\\.");
    EXPECT_EQ(read_back(field), text);
  }
}

TEST(AuditCopy, row_has_a_field_for_each_column_and_null_for_what_is_not_known) {
  Statement statement;
  statement.intent.number = 7;
  statement.intent.bytes = R"({"request":"r","parameters":[{"start":"a\tb\\N"}]})";
  const std::string row = copy_row(to_object(statement).value());
  EXPECT_EQ(std::ranges::count(row, '\t'),
            static_cast<std::ptrdiff_t>(statement_fields().size()) - 1);
  EXPECT_TRUE(row.starts_with("7\t1970-01-01T00:00:00.000Z\tr\t\\N\t"));
  EXPECT_NE(row.find(R"([{"start":"a\\tb\\\\N"}])"), std::string::npos) << row;
  EXPECT_TRUE(row.ends_with("\\N\n"));
}

}  // namespace
}  // namespace helios::cli
