// SPDX-License-Identifier: Apache-2.0
#include "base/byte_reader.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace helios::base {
namespace {

using namespace std::string_view_literals;

TEST(ByteReader, integers_are_in_network_order) {
  ByteReader reader("\x01\x02\x03\x01\x02\x03\x04\xff\xff\xff\xfe\xff\xfe"sv);
  EXPECT_EQ(reader.read_u8(), 0x01);
  EXPECT_EQ(reader.read_i16(), 0x0203);
  EXPECT_EQ(reader.read_i32(), 0x01020304);
  EXPECT_EQ(reader.read_i32(), -2);
  EXPECT_EQ(reader.read_i16(), -2);
  EXPECT_TRUE(reader.finished());
}

TEST(ByteReader, unsigned_integer_has_its_highest_bit) {
  ByteReader reader("\x80\x00\x00\x01\x80\x00\x00\x00"sv);
  EXPECT_EQ(reader.read_u32(), 0x80000001U);
  EXPECT_EQ(reader.read_i32(), std::numeric_limits<std::int32_t>::min());
}

TEST(ByteReader, cstring_ends_at_its_nul_and_consumes_it) {
  ByteReader reader("user\0\0rest"sv);
  EXPECT_EQ(reader.read_cstring(), "user");
  EXPECT_EQ(reader.read_cstring(), "");
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.remaining(), 4U);
}

TEST(ByteReader, cstring_without_nul_fails) {
  ByteReader reader("user"sv);
  EXPECT_EQ(reader.read_cstring(), "");
  EXPECT_FALSE(reader.ok());
}

TEST(ByteReader, bytes_may_contain_nul) {
  ByteReader reader("a\0b"sv);
  EXPECT_EQ(reader.read_bytes(3), "a\0b"sv);
  EXPECT_TRUE(reader.finished());
}

TEST(ByteReader, read_of_nothing_at_the_end_is_ok) {
  ByteReader reader(""sv);
  EXPECT_EQ(reader.read_bytes(0), "");
  EXPECT_TRUE(reader.finished());
}

TEST(ByteReader, read_past_the_end_fails) {
  const std::string_view bytes = "\xff\xff\xff\xff"sv;
  for (std::size_t length = 0; length < 4; ++length) {
    ByteReader reader(bytes.substr(0, length));
    (void)reader.read_i32();
    EXPECT_FALSE(reader.ok()) << length;
  }
  ByteReader one(bytes.substr(0, 1));
  (void)one.read_i16();
  EXPECT_FALSE(one.ok());
  ByteReader none(""sv);
  EXPECT_EQ(none.read_u8(), 0);
  EXPECT_FALSE(none.ok());
  ByteReader huge(bytes);
  EXPECT_EQ(huge.read_bytes(std::numeric_limits<std::size_t>::max()), "");
  EXPECT_FALSE(huge.ok());
}

TEST(ByteReader, failed_reader_stays_failed) {
  ByteReader reader("\x01\x02rest\0"sv);
  (void)reader.read_bytes(100);
  EXPECT_EQ(reader.read_u8(), 0);
  EXPECT_EQ(reader.read_cstring(), "");
  EXPECT_EQ(reader.read_bytes(0), "");
  EXPECT_EQ(reader.remaining(), 0U);
  EXPECT_FALSE(reader.ok());
  EXPECT_FALSE(reader.finished());
}

TEST(ByteReader, leftover_bytes_are_not_finished) {
  ByteReader reader("ab"sv);
  (void)reader.read_u8();
  EXPECT_TRUE(reader.ok());
  EXPECT_FALSE(reader.at_end());
  EXPECT_FALSE(reader.finished());
}

}  // namespace
}  // namespace helios::base
