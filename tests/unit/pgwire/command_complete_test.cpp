// SPDX-License-Identifier: Apache-2.0
#include "pgwire/command_complete.hpp"

#include "pgwire/frame_reader.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <string_view>

namespace helios::pgwire {
namespace {

using namespace std::string_view_literals;

TEST(CommandComplete, tag_is_a_view_into_the_body) {
  const std::string_view body = "INSERT 0 5\0"sv;
  const auto tag = parse_command_complete(body);
  ASSERT_TRUE(tag);
  EXPECT_EQ(*tag, "INSERT 0 5");
  EXPECT_EQ(tag->data(), body.data());
}

TEST(CommandComplete, anything_but_one_string_is_malformed) {
  for (const std::string_view body : {""sv, "SELECT 1"sv, "SELECT 1\0x"sv, "SELECT 1\0\0"sv}) {
    EXPECT_FALSE(parse_command_complete(body)) << body;
  }
  EXPECT_EQ(parse_command_complete("\0"sv), "");
}

TEST(RowsOfTag, count_is_the_last_word) {
  EXPECT_EQ(rows_of_tag("SELECT 2"), 2U);
  EXPECT_EQ(rows_of_tag("INSERT 0 5"), 5U);
  EXPECT_EQ(rows_of_tag("COPY 0"), 0U);
  EXPECT_EQ(rows_of_tag("MERGE 007"), 7U);
  EXPECT_EQ(rows_of_tag("FETCH 18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
}

TEST(RowsOfTag, tag_without_a_count_has_none) {
  for (const std::string_view tag :
       {""sv, "BEGIN"sv, "CREATE TABLE"sv, "5"sv, "SELECT "sv, " "sv, "SELECT 5x"sv, "SELECT -5"sv,
        "SELECT +5"sv, "SELECT 0x5"sv, "SELECT 5 "sv, "SELECT 18446744073709551616"sv}) {
    EXPECT_FALSE(rows_of_tag(tag)) << tag;
  }
}

TEST(ReadyForQuery, every_status_survives_the_round_trip) {
  for (const auto status :
       {TransactionStatus::idle, TransactionStatus::in_transaction, TransactionStatus::failed}) {
    const std::string bytes = serialize_ready_for_query(status);
    FrameReader reader;
    std::string_view input = bytes;
    ASSERT_EQ(reader.next(input), FrameReader::Step::header);
    EXPECT_EQ(reader.type(), backend::kReadyForQuery);
    reader.collect();
    ASSERT_EQ(reader.next(input), FrameReader::Step::message);
    EXPECT_EQ(parse_ready_for_query(reader.body()), status);
    EXPECT_TRUE(input.empty());
  }
}

TEST(ReadyForQuery, bytes_are_as_the_manual_lays_them_out) {
  EXPECT_EQ(serialize_ready_for_query(TransactionStatus::failed), "Z\0\0\0\5E"sv);
}

TEST(ReadyForQuery, any_other_byte_or_length_is_malformed) {
  for (int byte = 0; byte < 256; ++byte) {
    const char status = static_cast<char>(byte);
    const bool exists = status == 'I' || status == 'T' || status == 'E';
    EXPECT_EQ(parse_ready_for_query(std::string_view(&status, 1)).has_value(), exists) << byte;
  }
  EXPECT_FALSE(parse_ready_for_query(""));
  EXPECT_FALSE(parse_ready_for_query("II"));
}

TEST(ParameterStatus, name_and_value_are_read) {
  const auto status = parse_parameter_status("client_encoding\0UTF8\0"sv);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->name, "client_encoding");
  EXPECT_EQ(status->value, "UTF8");
}

TEST(ParameterStatus, value_may_be_empty) {
  const auto status = parse_parameter_status("application_name\0\0"sv);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->value, "");
}

TEST(ParameterStatus, any_other_length_is_malformed) {
  const std::string_view body = "name\0value\0x"sv;
  for (std::size_t length = 0; length <= body.size(); ++length) {
    const bool is_whole = length == body.size() - 1;
    EXPECT_EQ(parse_parameter_status(body.substr(0, length)).has_value(), is_whole) << length;
  }
}

}  // namespace
}  // namespace helios::pgwire
