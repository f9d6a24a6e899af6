// SPDX-License-Identifier: Apache-2.0
#include "pgwire/startup_packet.hpp"

#include "base/byte_writer.hpp"
#include "unit/pgwire/message_bytes.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::pgwire {
namespace {

using namespace std::string_view_literals;
using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kLayoutError =
    "invalid startup packet layout: expected terminator as last byte";

std::string body_of(const Pairs& pairs) {
  std::string out;
  for (const auto& [name, value] : pairs) {
    base::append_cstring(out, name);
    base::append_cstring(out, value);
  }
  out.push_back('\0');
  return out;
}

TEST(StartupMessage, pairs_keep_the_order_of_the_packet) {
  const Pairs pairs = {{"user", "ann"}, {"database", ""}, {"options", "-c a=b"}, {"user", "bob"}};
  const auto message = parse_startup_message(body_of(pairs));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->parameters, pairs);
  EXPECT_EQ(body_of(message->parameters), body_of(pairs));
}

TEST(StartupMessage, terminator_alone_is_a_packet_without_pairs) {
  const auto message = parse_startup_message("\0"sv);
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->parameters.empty());
}

TEST(StartupMessage, packet_cut_at_any_length_is_refused_as_the_server_words_it) {
  const std::string body = body_of({{"user", "ann"}, {"database", "shop"}, {"empty", ""}});
  for (std::size_t length = 0; length < body.size(); ++length) {
    const test::HeapBytes heap(std::string_view(body).substr(0, length));
    const auto message = parse_startup_message(heap.view());
    ASSERT_FALSE(message) << length;
    EXPECT_EQ(message.error().code, base::Errc::invalid);
    EXPECT_EQ(message.error().message, kLayoutError);
  }
}

TEST(StartupMessage, bytes_after_the_terminator_are_refused) {
  for (const std::string_view rest : {"\0"sv, "x"sv, "user\0ann\0\0"sv}) {
    const auto message = parse_startup_message(body_of({{"user", "ann"}}) + std::string(rest));
    ASSERT_FALSE(message);
    EXPECT_EQ(message.error().message, kLayoutError);
  }
}

TEST(StartupMessageFind, last_of_equal_names_wins) {
  const StartupMessage message{{{"user", "ann"}, {"database", "shop"}, {"user", "bob"}}};
  EXPECT_EQ(message.find("user"), "bob");
  EXPECT_EQ(message.find("database"), "shop");
}

TEST(StartupMessageFind, names_are_case_sensitive_and_whole) {
  const StartupMessage message{{{"User", "ann"}, {"user2", "bob"}, {"use", "eve"}}};
  EXPECT_FALSE(message.find("user"));
  EXPECT_EQ(message.find("User"), "ann");
  EXPECT_FALSE(StartupMessage{}.find("user"));
}

TEST(StartupSettings, keys_of_the_packet_are_settings) {
  const StartupMessage message{
      {{"user", "ann"}, {"helios.tenant_id", "acme"}, {"heliosx", "1"}, {"xhelios.a", "2"}}};
  EXPECT_EQ(startup_settings(message, "helios."), (Pairs{{"helios.tenant_id", "acme"}}));
}

TEST(StartupSettings, names_come_in_lower_case_and_values_as_they_are) {
  const StartupMessage message{{{"Helios.Tenant_ID", "AcMe"}}};
  EXPECT_EQ(startup_settings(message, "helios."), (Pairs{{"helios.tenant_id", "AcMe"}}));
}

TEST(StartupSettings, last_of_equal_keys_wins_whatever_their_case) {
  const StartupMessage message{{{"helios.tenant_id", "acme"}, {"HELIOS.TENANT_ID", "globex"}}};
  EXPECT_EQ(startup_settings(message, "helios."), (Pairs{{"helios.tenant_id", "globex"}}));
}

TEST(StartupSettings, dash_in_a_key_stays_a_dash) {
  const StartupMessage message{{{"helios.tenant-id", "acme"}}};
  EXPECT_EQ(startup_settings(message, "helios."), (Pairs{{"helios.tenant-id", "acme"}}))
      << "only command line switches turn it into an underscore";
}

TEST(StartupSettings, key_beats_options_wherever_it_stands) {
  const std::pair<std::string, std::string> key = {"helios.tenant_id", "acme"};
  const std::pair<std::string, std::string> options = {"options", "-c helios.tenant_id=globex"};
  const Pairs expected = {{"helios.tenant_id", "acme"}};
  EXPECT_EQ(startup_settings(StartupMessage{{key, options}}, "helios."), expected);
  EXPECT_EQ(startup_settings(StartupMessage{{options, key}}, "helios."), expected);
}

TEST(StartupSettings, only_the_last_options_key_counts) {
  const StartupMessage message{
      {{"options", "-c helios.a=1 -c helios.b=1"}, {"options", "-c helios.b=2"}}};
  EXPECT_EQ(startup_settings(message, "helios."), (Pairs{{"helios.b", "2"}}));
}

TEST(StartupSettings, options_key_in_another_case_is_not_options) {
  const StartupMessage message{{{"Options", "-c helios.a=1"}}};
  EXPECT_TRUE(startup_settings(message, "helios.").empty());
}

}  // namespace
}  // namespace helios::pgwire
