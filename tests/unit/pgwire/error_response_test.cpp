// SPDX-License-Identifier: Apache-2.0
#include "pgwire/error_response.hpp"

#include "unit/pgwire/message_bytes.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace helios::pgwire {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kHeaderBytes = 5;

TEST(ErrorResponse, bytes_are_as_the_manual_lays_them_out) {
  EXPECT_EQ(serialize_error_response(Severity::error, "42601", "syntax error", 8),
            test::message('E', "SERROR\0VERROR\0C42601\0Msyntax error\0P8\0\0"sv));
  EXPECT_EQ(serialize_error_response(Severity::fatal, "57P01", "bye"),
            test::message('E', "SFATAL\0VFATAL\0C57P01\0Mbye\0\0"sv));
}

TEST(ErrorResponse, what_is_written_reads_back) {
  for (const auto severity : {Severity::error, Severity::fatal}) {
    for (const std::string_view text : {"plain"sv, ""sv, "two\nlines \xc3\xa4"sv}) {
      const std::string bytes = serialize_error_response(severity, "0A000", text);
      const auto fields = parse_error_response(std::string_view(bytes).substr(kHeaderBytes));
      EXPECT_EQ(fields.severity, severity == Severity::fatal ? "FATAL" : "ERROR");
      EXPECT_EQ(fields.sqlstate, "0A000");
      EXPECT_EQ(fields.message, text);
    }
  }
}

TEST(ErrorResponse, nul_in_a_message_cannot_forge_a_field) {
  const std::string bytes =
      serialize_error_response(Severity::error, "42000", "reason\0C00000\0\0"sv);
  const auto fields = parse_error_response(std::string_view(bytes).substr(kHeaderBytes));
  EXPECT_EQ(fields.message, "reasonC00000");
  EXPECT_EQ(fields.sqlstate, "42000");
  EXPECT_EQ(bytes, test::message('E', std::string_view(bytes).substr(kHeaderBytes)))
      << "the length word counts what was written";
}

TEST(ErrorResponse, severity_is_the_one_that_is_never_localised) {
  EXPECT_EQ(parse_error_response("SFEHLER\0VERROR\0\0"sv).severity, "ERROR");
  EXPECT_EQ(parse_error_response("VERROR\0SFEHLER\0\0"sv).severity, "ERROR");
  EXPECT_EQ(parse_error_response("SFATAL\0C57P01\0\0"sv).severity, "FATAL")
      << "servers before 9.6 send no V";
}

TEST(ErrorResponse, unknown_fields_are_skipped) {
  const auto fields = parse_error_response("zwhat\0C23505\0Dkey (id)=(1)\0Mdup\0Rfn\0\0"sv);
  EXPECT_EQ(fields.sqlstate, "23505");
  EXPECT_EQ(fields.message, "dup");
}

TEST(ErrorResponse, nothing_is_read_after_the_end_mark) {
  const auto fields = parse_error_response("C23505\0\0C00000\0\0"sv);
  EXPECT_EQ(fields.sqlstate, "23505");
}

TEST(ErrorResponse, body_cut_anywhere_gives_only_whole_fields) {
  const std::string_view body = "SERROR\0VERROR\0C23505\0Mduplicate key\0\0"sv;
  const auto either = [](std::string_view value, std::string_view whole) {
    return value.empty() || value == whole;
  };
  for (std::size_t length = 0; length <= body.size(); ++length) {
    const test::HeapBytes heap(body.substr(0, length));
    const auto fields = parse_error_response(heap.view());
    EXPECT_TRUE(either(fields.severity, "ERROR")) << length;
    EXPECT_TRUE(either(fields.sqlstate, "23505")) << length;
    EXPECT_TRUE(either(fields.message, "duplicate key")) << length;
    EXPECT_EQ(fields.message.empty(), length < body.size() - 1) << length;
  }
}

}  // namespace
}  // namespace helios::pgwire
