// SPDX-License-Identifier: Apache-2.0
#include "pgwire/cancel_request.hpp"

#include "base/byte_reader.hpp"
#include "pgwire/startup_packet.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <string_view>
#include <unordered_set>

namespace helios::pgwire {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

// What stands after the length word and the request code.
std::string_view key_of(std::string_view packet) { return packet.substr(8); }

TEST(CancelRequest, packet_is_as_the_manual_lays_it_out) {
  EXPECT_EQ(serialize_cancel_request({.process_id = 0x01020304, .secret = "abcd"}),
            "\0\0\0\x10\x04\xd2\x16\x2e\x01\x02\x03\x04"
            "abcd"sv);
}

TEST(CancelRequest, key_survives_the_round_trip) {
  for (const std::size_t size : {4, 5, 32, 255, 256}) {
    for (const std::int32_t id : {0, 1, -1, std::numeric_limits<std::int32_t>::max()}) {
      std::string secret(size, '\xff');
      secret[1] = '\0';
      const CancelKey key{.process_id = id, .secret = secret};
      const std::string packet = serialize_cancel_request(key);
      base::ByteReader reader(packet);
      EXPECT_EQ(reader.read_u32(), packet.size());
      EXPECT_EQ(reader.read_i32(), kCancelRequestCode);
      const auto parsed = parse_cancel_key(key_of(packet));
      ASSERT_TRUE(parsed);
      EXPECT_EQ(*parsed, key);
      EXPECT_EQ(serialize_cancel_request(*parsed), packet);
    }
  }
}

TEST(CancelRequest, key_that_is_cut_short_is_invalid) {
  const std::string packet = serialize_cancel_request({.process_id = 7, .secret = "abcd"});
  const std::string_view body = key_of(packet);
  for (std::size_t length = 0; length < body.size(); ++length) {
    const auto parsed = parse_cancel_key(body.substr(0, length));
    ASSERT_FALSE(parsed) << length;
    EXPECT_EQ(parsed.error().code, base::Errc::invalid);
  }
}

TEST(CancelRequest, secret_over_the_limit_is_invalid) {
  const std::string body(4 + kMaxCancelSecretBytes + 1, 'x');
  EXPECT_FALSE(parse_cancel_key(body));
  EXPECT_TRUE(parse_cancel_key(std::string_view(body).substr(1)));
}

TEST(CancelKey, equal_keys_share_a_place_in_a_hash_table) {
  const CancelKey key{.process_id = 7, .secret = "abcd"};
  std::unordered_set<CancelKey> keys = {key};
  EXPECT_TRUE(keys.contains(CancelKey{.process_id = 7, .secret = "abcd"}));
  EXPECT_FALSE(keys.contains(CancelKey{.process_id = 8, .secret = "abcd"}));
  EXPECT_FALSE(keys.contains(CancelKey{.process_id = 7, .secret = "abce"}));
  EXPECT_FALSE(keys.contains(CancelKey{.process_id = 7, .secret = "abcd\0"s}));
}

}  // namespace
}  // namespace helios::pgwire
