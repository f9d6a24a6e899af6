// SPDX-License-Identifier: Apache-2.0
#include "base/byte_writer.hpp"

#include "base/byte_reader.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace helios::base {
namespace {

using namespace std::string_view_literals;

TEST(ByteWriter, integers_are_in_network_order) {
  std::string out;
  append_i16(out, 0x0102);
  append_i32(out, 0x03040506);
  append_i32(out, -2);
  append_i16(out, -2);
  EXPECT_EQ(out, "\x01\x02\x03\x04\x05\x06\xff\xff\xff\xfe\xff\xfe"sv);
}

TEST(ByteWriter, cstring_gets_its_nul) {
  std::string out;
  append_cstring(out, "user");
  append_cstring(out, "");
  EXPECT_EQ(out, "user\0\0"sv);
}

TEST(ByteWriter, stored_integer_is_loaded_again_at_any_alignment) {
  for (const std::int32_t value : {0, 1, -1, 0x12345678, std::numeric_limits<std::int32_t>::min(),
                                   std::numeric_limits<std::int32_t>::max()}) {
    char buffer[8] = {};
    for (int offset = 0; offset <= 4; ++offset) {
      store_i32(buffer + offset, value);
      EXPECT_EQ(load_i32(buffer + offset), value);
    }
  }
}

TEST(ByteWriter, what_is_written_reads_back) {
  std::string out;
  append_i32(out, std::numeric_limits<std::int32_t>::min());
  append_cstring(out, "name");
  append_i16(out, std::numeric_limits<std::int16_t>::min());
  ByteReader reader(out);
  EXPECT_EQ(reader.read_i32(), std::numeric_limits<std::int32_t>::min());
  EXPECT_EQ(reader.read_cstring(), "name");
  EXPECT_EQ(reader.read_i16(), std::numeric_limits<std::int16_t>::min());
  EXPECT_TRUE(reader.finished());
}

}  // namespace
}  // namespace helios::base
