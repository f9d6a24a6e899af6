// SPDX-License-Identifier: Apache-2.0
// `heliosproxy kv ...` from the words of the command line to what it prints, on a router in memory.

#include "admin/target.hpp"
#include "support/append_record.hpp"
#include "unit/cli/kv_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace helios::cli {
namespace {

using namespace std::string_literals;

TEST_F(KvCommand, value_that_was_put_is_got_byte_for_byte) {
  EXPECT_EQ(kv({"put", "p", "a key/?%", "one\n"}), "");
  EXPECT_EQ(kv({"get", "p", "a key/?%"}), "one\n");
  EXPECT_EQ(kv({"put", "p", "binary"}, "\0\xFF\n"s), "");
  EXPECT_EQ(kv({"get", "p", "binary"}), "\0\xFF\n"s);
}

TEST_F(KvCommand, missing_key_and_down_proxy_are_errors) {
  EXPECT_EQ(kv({"get", "p", "none"}), "error: key not found");
  EXPECT_EQ(kv({"put", "p", "k", "-f", "/no/such/file"}), "error: /no/such/file: cannot be opened");
  is_down = true;
  EXPECT_EQ(kv({"get", "p", "none"}), "error: 127.0.0.1:9090: Connection refused");
}

TEST_F(KvCommand, put_if_absent_leaves_a_key_alone) {
  kv({"put", "p", "k", "one"});
  EXPECT_EQ(kv({"put", "p", "k", "two", "--if-absent"}),
            "error: the key is not as the request wants it");
  EXPECT_EQ(kv({"get", "p", "k"}), "one");
}

TEST_F(KvCommand, entry_with_a_time_to_live_expires) {
  kv({"put", "p", "k", "one", "--ttl-ms", "1000"});
  EXPECT_EQ(kv({"ls", "p", "-l"}), "k\tversion 1\t3 bytes\t1000 ms left\n");
  advance_ms(1000);
  EXPECT_EQ(kv({"get", "p", "k"}), "error: key not found");
}

TEST_F(KvCommand, increment_prints_the_sum) {
  EXPECT_EQ(kv({"incr", "p", "n"}), "1\n");
  EXPECT_EQ(kv({"incr", "p", "n", "41"}), "42\n");
  EXPECT_EQ(kv({"incr", "p", "n", "0"}), "42\n");
  EXPECT_EQ(kv({"incr", "p", "n", "--", "-50"}), "-8\n");
}

TEST_F(KvCommand, listing_is_in_key_order_and_by_prefix) {
  for (const char* key : {"b", "a:2", "a:1"}) kv({"put", "p", key, "x"});
  EXPECT_EQ(kv({"ls", "p"}), "a:1\na:2\nb\n");
  EXPECT_EQ(kv({"ls", "p", "--prefix", "a:"}), "a:1\na:2\n");
  EXPECT_EQ(kv({"ls", "p", "-l", "--prefix", "b"}), "b\tversion 1\t1 bytes\tstays\n");
  EXPECT_EQ(kv({"ls", "ghost"}), "");
}

TEST_F(KvCommand, key_of_any_bytes_is_named_as_it_is_listed) {
  const std::string odd = "100%\t\n\x1B[2J";
  EXPECT_EQ(kv({"put", "p", "%00%FF", "zero", "-e"}), "");
  EXPECT_EQ(kv({"put", "p", odd, "odd"}), "");
  EXPECT_EQ(kv({"put", "p", "a:b/c", "plain"}), "");
  EXPECT_EQ(kv({"ls", "p"}), "%00%FF\n100%25%09%0A%1B%5B2J\na:b/c\n");
  const std::string listed = kv({"ls", "p", "--encoded"});
  EXPECT_EQ(listed, "%00%FF\n100%25%09%0A%1B%5B2J\na:b/c\n");
  EXPECT_EQ(kv({"get", "p", "%00%FF", "--encoded"}), "zero");
  EXPECT_EQ(kv({"get", "p", "100%25%09%0A%1B%5B2J", "--encoded"}), "odd");
  EXPECT_EQ(kv({"ls", "p", "--prefix", "%00", "--encoded"}), "%00%FF\n");
  EXPECT_EQ(kv({"purge", "p", "--prefix", "%00%FF", "--encoded"}), "1 removed\n");
  EXPECT_EQ(kv({"del", "p", "100%25%09%0A%1B%5B2J", "--encoded"}), "");
  EXPECT_EQ(kv({"incr", "p", "%FE", "--encoded"}), "1\n");
  EXPECT_EQ(kv({"ls", "p"}), "a:b/c\n%FE\n");
  EXPECT_TRUE(kv({"get", "p", "%F", "--encoded"}).starts_with("error: %F: "));
}

// It would name the listing.
TEST_F(KvCommand, empty_key_is_refused) {
  for (const char* verb : {"get", "put", "del", "incr"})
    EXPECT_TRUE(kv({verb, "p", ""}).starts_with("usage: heliosproxy: KEY: must not be empty"));
}

TEST_F(KvCommand, pages_of_binary_keys_are_all_of_them) {
  std::string lines;
  for (int n = 0; n < 1500; ++n) {
    const std::string key = {static_cast<char>(0x80 + n / 64), '\0', static_cast<char>(n % 64)};
    lines += R"({"plugin":"p","key_percent_encoded":")" + admin::percent_encode(key) +
             R"(","value":"x"})" + "\n";
  }
  EXPECT_EQ(kv({"import"}, lines), "1500 set, 0 left alone, 0 expired\n");
  EXPECT_EQ(std::ranges::count(kv({"ls", "p"}), '\n'), 1500);
  EXPECT_EQ(kv({"export", "p"}), lines);
}

TEST_F(KvCommand, del_and_purge_remove) {
  for (const char* key : {"b", "a:2", "a:1"}) kv({"put", "p", key, "x"});
  EXPECT_EQ(kv({"purge", "p", "--prefix", "a:"}), "2 removed\n");
  EXPECT_EQ(kv({"del", "p", "b"}), "");
  EXPECT_EQ(kv({"ls", "p"}), "");
  EXPECT_EQ(kv({"purge", "p"}), "error: say which keys: --prefix TEXT, or --all");
  EXPECT_EQ(kv({"purge", "p", "--all"}), "0 removed\n");
}

TEST_F(KvCommand, export_is_what_import_reads) {
  kv({"put", "p", "text", "one\ntwo"});
  kv({"put", "p", "bytes"}, "\xFF\0"s);
  kv({"put", "q", "soon", "x", "--ttl-ms", "5000"});
  store.open("p").value();
  admin.put("/admin/kv/p/%FF", "k");
  const std::string dumped = kv({"export"});
  EXPECT_TRUE(dumped.contains(R"({"plugin":"p","key_percent_encoded":"%FF","value":"k"})"))
      << dumped;
  kv({"purge", "p", "--all"});
  kv({"purge", "q", "--all"});
  advance_ms(1000);
  EXPECT_EQ(kv({"import"}, dumped), "4 set, 0 left alone, 0 expired\n");
  EXPECT_EQ(kv({"export"}), dumped);
  EXPECT_EQ(kv({"import", "--if-absent"}, dumped), "0 set, 4 left alone, 0 expired\n");
  advance_ms(4000);
  EXPECT_EQ(kv({"import"}, dumped), "3 set, 0 left alone, 1 expired\n");
  EXPECT_EQ(kv({"export", "q"}), "");
}

TEST_F(KvCommand, import_stops_at_a_line_that_it_cannot_read) {
  EXPECT_EQ(kv({"import"}, R"({"plugin":"p","key":"a","value":"1"})"
                           "\n\nnonsense\n"),
            "error: line 3: is not a JSON object");
  EXPECT_EQ(kv({"get", "p", "a"}), "1");
  EXPECT_EQ(kv({"import"}, R"({"plugin":"p","key":"a"})"),
            "error: line 1: there is no \"value\" in it");
  EXPECT_EQ(kv({"import"}, R"({"plugin":"p","key":"a","value_base64":"=="})"),
            "error: line 1: bad base64");
  EXPECT_EQ(kv({"import"}, R"({"key":"a","value":"1"})"),
            "error: line 1: there is no \"plugin\" in it");
}

TEST_F(KvCommand, namespace_is_made_where_that_is_said) {
  const std::string none =
      "error: there is no namespace \"ghost\", nor a loaded plugin of that name; to "
      "make a new one, send Helios-New-Namespace: true (heliosproxy kv: --new)";
  const std::string line = R"({"plugin":"ghost","key":"a","value":"1"})";
  EXPECT_EQ(kv({"put", "ghost", "k", "v"}), none);
  EXPECT_EQ(kv({"incr", "ghost", "n"}), none);
  EXPECT_TRUE(kv({"import"}, line).contains("there is no namespace"));
  EXPECT_EQ(kv({"put", "ghost", "k", "v", "--new"}), "");
  EXPECT_EQ(kv({"incr", "ghost2", "n", "--new"}), "1\n");
  EXPECT_EQ(kv({"import", "--new"}, R"({"plugin":"ghost3","key":"a","value":"1"})"),
            "1 set, 0 left alone, 0 expired\n");
  EXPECT_EQ(kv({"get", "ghost", "k"}), "v");
}

TEST_F(KvCommand, value_that_the_plugin_refuses_is_an_error_unless_forced) {
  admin.control.opinion = {admin::WriteOpinion::Kind::refused, "p", "limit: field `a` is missing"};
  const std::string refused = "the plugin \"p\" refuses this value: limit: field `a` is missing";
  const std::string lines = R"({"plugin":"q","key":"a","value":"1"})";
  EXPECT_EQ(kv({"put", "p", "k", "v"}), "error: " + refused);
  EXPECT_EQ(kv({"import"}, lines), "error: line 1: " + refused);
  EXPECT_EQ(kv({"get", "p", "k"}), "error: key not found");
  EXPECT_EQ(kv({"put", "p", "k", "v", "--force"}), "");
  EXPECT_EQ(kv({"import", "--force"}, lines), "1 set, 0 left alone, 0 expired\n");
  EXPECT_EQ(kv({"get", "p", "k"}), "v");
  EXPECT_EQ(admin.control.forced.size(), 2U);
}

TEST_F(KvCommand, stats_add_up) {
  kv({"put", "p", "a", "1"});
  kv({"put", "q", "b", "22"});
  test::append_record(store, "q", "trail", "x");
  EXPECT_EQ(kv({"stats"}),
            "p\t1 keys\t130 bytes\t0 bytes of streams\n"
            "q\t1 keys\t131 bytes\t97 bytes of streams\n"
            "(all)\t2 keys\t261 bytes\t97 bytes of streams\n");
}

TEST_F(KvCommand, wrong_words_are_explained) {
  EXPECT_TRUE(kv({}).starts_with("usage: heliosproxy: A subcommand is required"));
  EXPECT_TRUE(kv({"get", "p"}).starts_with("usage: heliosproxy: KEY is required"));
  EXPECT_TRUE(kv({"put", "p", "k", "v", "--ttl-ms", "0"}).starts_with("usage: "));
  EXPECT_TRUE(kv({"fetch"}).starts_with("usage: "));
  EXPECT_TRUE(kv({"stats", "--state", "/s", "--url", "http://h"}).starts_with("usage: "));
  EXPECT_TRUE(kv({"stats", "--salvage"}).starts_with("usage: "));
  EXPECT_TRUE(kv({"stats", "--state", ""}).starts_with("usage: "));
}

}  // namespace
}  // namespace helios::cli
