// SPDX-License-Identifier: Apache-2.0
// `heliosproxy kv stream ...`: what it prints, what it follows, and what --verify finds.

#include "cli/since.hpp"
#include "cli/stream_reader.hpp"
#include "cli/stream_verifier.hpp"
#include "support/append_record.hpp"
#include "support/stream_chain.hpp"
#include "unit/cli/kv_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace helios::cli {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class KvStream : public KvCommand {
 protected:
  void append(std::string_view bytes, std::string_view stream = "trail") {
    test::append_record(store, "p", stream, bytes);
  }
  kv::StreamPage all() { return store.read_stream(**store.open("p"), "trail", {}).value(); }
  std::string digest(std::size_t number) {
    return base::to_hex(all().records.at(number - 1).digest);
  }

  // Replaces text in the answers to come.
  void replace_in_answers(std::string from, std::string to) {
    change_answer = [from = std::move(from), to = std::move(to)](std::string& body) {
      if (const auto at = body.find(from); at != std::string::npos)
        body.replace(at, from.size(), to);
    };
  }
};

TEST_F(KvStream, streams_are_listed) {
  append("hello");
  append("x", "b");
  store.set_limits({.max_ring_bytes = kv::record_bytes(1)});
  append("y", "b");
  EXPECT_EQ(kv({"stream", "p"}),
            "b\t1 records\t2 to 2\t97 bytes\t2024-01-01T00:00:00.000Z\n"
            "trail\t0 records\t\t0 bytes\t2024-01-01T00:00:00.000Z\n");
  EXPECT_THAT(kv({"stream", "p", "--json"}), StartsWith(R"({"stream":"b","first":2,"next":3,)"));
}

TEST_F(KvStream, records_are_printed_each_on_one_line) {
  append("plain text");
  clock.advance_ms(1500);
  append("two\nlines\x1B[2J");
  append("\xFF");
  EXPECT_EQ(kv({"stream", "p", "trail"}),
            "1\t2024-01-01T00:00:00.000Z\tplain text\n"
            "2\t2024-01-01T00:00:01.500Z\ttwo%0Alines%1B%5B2J\n"
            "3\t2024-01-01T00:00:01.500Z\t%FF\n");
  EXPECT_EQ(kv({"stream", "p", "trail", "--json", "--from", "3"}),
            R"({"number":3,"time":"2024-01-01T00:00:01.500Z","digest":")" + digest(3) +
                R"(","value_base64":"/w=="})" + "\n");
}

TEST_F(KvStream, range_is_by_number_age_and_count) {
  for (int n = 1; n <= 5; ++n) {
    append(std::to_string(n));
    clock.advance_ms(60'000);
  }
  const auto first = [this](std::vector<std::string> words) {
    words.insert(words.begin(), {"stream", "p", "trail"});
    return kv(std::move(words)).substr(0, 1);
  };
  EXPECT_EQ(first({"--from", "4"}), "4");
  EXPECT_EQ(first({"--since", "2m"}), "4");
  EXPECT_EQ(first({"--since", "119s"}), "5");
  EXPECT_EQ(first({"--since", "2024-01-01T01:02:00+01:00"}), "3");
  EXPECT_EQ(first({"--since", "1ms"}), "");
  EXPECT_EQ(first({"--from", "9"}), "");
  EXPECT_THAT(kv({"stream", "p", "trail", "--limit", "2"}), EndsWith("\t2\n"));
}

TEST_F(KvStream, all_pages_are_read) {
  const std::string large(900'000, 'x');
  for (int n = 0; n < 12; ++n) append(large);
  for (int n = 0; n < 10'100; ++n) append("y");
  EXPECT_EQ(std::ranges::count(kv({"stream", "p", "trail"}), '\n'), 10'112);
  EXPECT_THAT(kv({"stream", "p", "trail", "--limit", "10050"}), HasSubstr("\n10050\t"));
  EXPECT_THAT(kv({"stream", "p", "trail", "--verify"}), StartsWith("10112 records, 1 to 10112, "));
}

TEST_F(KvStream, follower_prints_what_is_appended_and_stops_at_its_limit) {
  append("one");
  int pauses = 0;
  on_pause = [&] {
    if (++pauses == 2) append("two");
    if (pauses == 3) append("three");
  };
  EXPECT_THAT(kv({"stream", "p", "trail", "--follow", "--limit", "3"}),
              AllOf(HasSubstr("\tone\n2\t"), HasSubstr("\ttwo\n3\t"), EndsWith("\tthree\n")));
  EXPECT_EQ(pauses, 3);
}

TEST_F(KvStream, follower_says_what_has_made_room_unread) {
  append("1");
  on_pause = [&] {
    store.set_limits({.max_ring_bytes = kv::record_bytes(1)});
    for (const char* bytes : {"2", "3", "4"}) append(bytes);
  };
  EXPECT_THAT(kv({"stream", "p", "trail", "--follow"}),
              EndsWith("error: records 2 to 3 have made room before they could be read ([kv] "
                       "max_ring_bytes)"));
}

TEST_F(KvStream, chain_that_is_whole_is_verified) {
  for (const char* bytes : {"one", "\xFF", ""}) append(bytes);
  const std::string good = ", none changed, missing or out of place; ";
  EXPECT_EQ(kv({"stream", "helios_plugin_p", "trail", "--verify"}),
            "3 records, 1 to 3" + good + "the last digest is " + digest(3) + "\n");
  EXPECT_EQ(kv({"stream", "p", "trail", "--verify", "--from", "2"}),
            "2 records, 2 to 3" + good + "the first follows " + digest(1) +
                ", the last digest is " + digest(3) + "\n");
  EXPECT_EQ(kv({"stream", "p", "trail", "--verify", "--limit", "2"}),
            "2 records, 1 to 2" + good + "the last digest is " + digest(2) + "\n");
  EXPECT_EQ(kv({"stream", "p", "trail", "--verify", "--from", "4"}), "0 records\n");
}

TEST_F(KvStream, first_record_that_is_wrong_is_named) {
  const auto verify = [this] { return kv({"stream", "p", "trail", "--verify"}); };
  for (const char* bytes : {"one", "two", "three"}) append(bytes);
  replace_in_answers(R"("value":"two")", R"("value":"2wo")");
  EXPECT_EQ(verify(),
            "error: record 2: its digest is not that of the record before it and of its own bytes");
  replace_in_answers(R"("number":2)", R"("number":4)");
  EXPECT_EQ(verify(), "error: record 2: it is missing: record 4 stands in its place");
  replace_in_answers(R"({"number":3,"time":"2024-01)", R"({"number":3,"time":"2023-01)");
  EXPECT_EQ(verify(), "error: record 3: its time is before that of the record before it");
  replace_in_answers(base::to_hex(kv::first_digest("p", "trail")),
                     base::to_hex(kv::first_digest("p", "other")));
  EXPECT_THAT(verify(), StartsWith("error: record 1: it does not follow what a stream of this"));
  replace_in_answers(R"("next":4)", R"("next":5)");
  EXPECT_EQ(verify(), "error: record 4: it is missing, and all behind it");
}

TEST_F(KvStream, what_cannot_be_done_is_explained) {
  EXPECT_EQ(kv({"stream", "gone"}), "error: namespace not found");
  append("x");
  EXPECT_EQ(kv({"stream", "p", "none"}), "error: stream not found");
  EXPECT_THAT(kv({"stream", "p", "trail", "--since", "soon"}),
              StartsWith("error: --since: expected a length such as 10m"));
  EXPECT_THAT(kv({"stream", "p", "--verify"}), StartsWith("error: say which stream"));
  EXPECT_THAT(kv({"stream", "p", "trail", "--follow", "--state", "/s"}),
              StartsWith("error: --follow needs a running proxy"));
  EXPECT_THAT(kv({"stream", "p", "trail", "--verify", "--follow"}), StartsWith("usage: "));
  EXPECT_THAT(kv({"stream", "p", "trail", "--from", "0"}), StartsWith("usage: "));
  change_answer = [](std::string& body) { body = R"({"first":1,"next":2,"next_from":2})"; };
  EXPECT_EQ(kv({"stream", "p", "trail"}), "error: the answer: there are no records in it");
}

TEST(StreamSince, lengths_and_times_are_read) {
  constexpr std::int64_t kNow = 10 * 86'400'000;
  EXPECT_EQ(parse_since("250ms", kNow).value(), kNow - 250);
  EXPECT_EQ(parse_since("2h", kNow).value(), kNow - 7'200'000);
  EXPECT_EQ(parse_since("10d", kNow).value(), 0);
  EXPECT_EQ(parse_since("1970-01-01T00:00:01Z", kNow).value(), 1000);
  for (const char* text : {"", "10", "m", "-1m", "1 m", "10w", "11d", "99999999999s"})
    EXPECT_FALSE(parse_since(text, kNow)) << text;
}

// Any one change to any record, at any page size, is found, and never said to be later than it is.
TEST(StreamVerifier, every_single_change_is_found) {
  test::FakeClock clock;
  kv::MemoryStore store{kv::Limits{}, clock};
  for (int n = 0; n < 40; ++n) {
    test::append_record(store, "p", "trail", "record " + std::to_string(n));
    clock.advance_ms(1);
  }
  const auto whole = store.read_stream(**store.open("p"), "trail", {}).value();
  using Change = std::function<void(std::vector<kv::StreamRecord>&, std::size_t)>;
  const Change changes[] = {
      [](auto& all, auto at) { all[at].bytes += '!'; },
      [](auto& all, auto at) { all[at].digest[7] ^= 1; },
      [](auto& all, auto at) { all[at].number += 1; },
      [](auto& all, auto at) { all[at].time_ms -= 2; },
      [](auto& all, auto at) { std::swap(all[at].bytes, all[at - 1].bytes); },
      [](auto& all, auto at) { all.erase(all.begin() + static_cast<std::ptrdiff_t>(at)); },
  };
  std::mt19937 random(5);
  const auto any = [&](std::size_t from, std::size_t to) {
    return std::uniform_int_distribution(from, to)(random);
  };
  // Verifies `all` in pages; the error, empty when there is none.
  const auto verify = [&](const std::vector<kv::StreamRecord>& all) -> std::string {
    StreamVerifier verifier("p", "trail");
    for (std::size_t from = 0; from < all.size();) {
      const std::size_t to = std::min(all.size(), from + any(1, 15));
      kv::StreamPage page;
      page.extent = whole.extent;
      page.records.assign(all.begin() + static_cast<std::ptrdiff_t>(from),
                          all.begin() + static_cast<std::ptrdiff_t>(to));
      page.before = from == 0 ? whole.before : all[from - 1].digest;
      if (auto added = verifier.add(page); !added) return added.error().message;
      from = to;
    }
    const auto finished = verifier.finish(whole.extent);
    return finished ? std::string() : finished.error().message;
  };
  EXPECT_EQ(verify(whole.records), "");
  for (int round = 0; round < 300; ++round) {
    auto all = whole.records;
    const std::size_t at = any(1, all.size() - 1);
    changes[any(0, std::size(changes) - 1)](all, at);
    const std::string error = verify(all);
    ASSERT_TRUE(error.starts_with("record ")) << "round " << round;
    ASSERT_LE(std::stoul(error.substr(7)), at + 1);
  }
}

}  // namespace
}  // namespace helios::cli
