// SPDX-License-Identifier: Apache-2.0
#include "pgwire/frame_reader.hpp"

#include "unit/pgwire/message_bytes.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::pgwire {
namespace {

using namespace std::string_view_literals;
using Step = FrameReader::Step;
using test::header;
using test::HeapBytes;
using test::message;

enum class Way { stream, collect };

bool is_inside(std::string_view part, std::string_view whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

// Reads inputs to their end and gathers what comes out; the way is chosen per message.
class Reading {
 public:
  explicit Reading(std::function<Way(char)> choose) : choose_(std::move(choose)) {}

  // Returns the last step: need_more or bad_length.
  Step feed(std::string_view bytes) {
    const HeapBytes heap(bytes);
    const std::string_view whole = heap.view();
    std::string_view input = whole;
    while (true) {
      const Step step = reader.next(input);
      switch (step) {
        case Step::need_more: EXPECT_TRUE(input.empty()); return step;
        case Step::bad_length: return step;
        case Step::header: choose(); break;
        case Step::piece: take_piece(whole); break;
        case Step::message: take_message(whole); break;
      }
    }
  }

  FrameReader reader;
  std::vector<std::string> messages;  // complete ones, header included
  std::vector<bool> not_copied;       // collected ones: points_into_input()

 private:
  void choose() {
    EXPECT_EQ(open_, "") << "a message before the end of the last one";
    if (choose_(reader.type()) == Way::stream) {
      reader.stream();
    } else {
      reader.collect();
    }
    EXPECT_FALSE(reader.inside_streamed());
    EXPECT_FALSE(reader.at_boundary());
  }

  void take_piece(std::string_view whole) {
    EXPECT_FALSE(reader.bytes().empty());
    EXPECT_EQ(reader.points_into_input(), is_inside(reader.bytes(), whole));
    open_ += reader.bytes();
    EXPECT_GE(open_.size(), FrameReader::kHeaderBytes) << "the first piece holds the header";
    EXPECT_EQ(reader.last_piece(), open_.size() == reader.total_bytes());
    EXPECT_EQ(reader.inside_streamed(), !reader.last_piece());
    if (reader.last_piece()) messages.push_back(std::exchange(open_, {}));
  }

  void take_message(std::string_view whole) {
    EXPECT_TRUE(reader.last_piece());
    EXPECT_FALSE(reader.inside_streamed());
    EXPECT_EQ(reader.bytes().size(), reader.total_bytes());
    EXPECT_EQ(reader.body(), reader.bytes().substr(FrameReader::kHeaderBytes));
    EXPECT_EQ(reader.points_into_input(), is_inside(reader.bytes(), whole));
    not_copied.push_back(reader.points_into_input());
    messages.emplace_back(reader.bytes());
  }

  std::function<Way(char)> choose_;
  std::string open_;
};

Way stream_all(char /*type*/) { return Way::stream; }
Way collect_all(char /*type*/) { return Way::collect; }
Way collect_queries(char type) { return type == 'Q' ? Way::collect : Way::stream; }
Way stream_queries(char type) { return type == 'Q' ? Way::stream : Way::collect; }

const std::vector<std::string>& samples() {
  static const std::vector<std::string> messages = {message('Q', "SELECT 1\0"sv), message('S', ""),
                                                    message('d', "\0Q\0\0\0\4"sv),
                                                    message('Q', "\0"sv), message('X', "")};
  return messages;
}

std::string joined(const std::vector<std::string>& messages) {
  std::string out;
  for (const std::string& each : messages) out += each;
  return out;
}

struct Choice {
  const char* name;
  Way (*choose)(char);
};

std::string choice_name(const testing::TestParamInfo<Choice>& choice) { return choice.param.name; }

class FrameReaderCuts : public testing::TestWithParam<Choice> {};

TEST_P(FrameReaderCuts, two_cuts_anywhere_give_the_same_messages) {
  const std::string all = joined(samples());
  for (std::size_t first = 0; first <= all.size(); ++first) {
    for (std::size_t second = first; second <= all.size(); ++second) {
      Reading reading(GetParam().choose);
      reading.feed(std::string_view(all).substr(0, first));
      reading.feed(std::string_view(all).substr(first, second - first));
      reading.feed(std::string_view(all).substr(second));
      ASSERT_EQ(reading.messages, samples()) << "cut at " << first << " and " << second;
      ASSERT_TRUE(reading.reader.at_boundary());
    }
  }
}

TEST_P(FrameReaderCuts, pieces_of_any_size_give_the_same_messages) {
  const std::string all = joined(samples());
  for (std::size_t size = 1; size <= all.size(); ++size) {
    Reading reading(GetParam().choose);
    for (std::size_t at = 0; at < all.size(); at += size) {
      EXPECT_EQ(reading.feed(std::string_view(all).substr(at, size)), Step::need_more);
      EXPECT_EQ(reading.feed(""), Step::need_more) << "an empty input changes nothing";
    }
    EXPECT_EQ(reading.messages, samples()) << "pieces of " << size;
  }
}

INSTANTIATE_TEST_SUITE_P(Ways, FrameReaderCuts,
                         testing::Values(Choice{"stream_all", stream_all},
                                         Choice{"collect_all", collect_all},
                                         Choice{"collect_queries", collect_queries},
                                         Choice{"stream_queries", stream_queries}),
                         choice_name);

TEST(FrameReader, message_is_copied_only_when_it_spans_inputs) {
  const std::string before = message('d', "before");
  const std::string wanted = message('Q', "SELECT 1\0"sv);
  const std::string all = before + wanted + message('S', "");
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    Reading reading(collect_queries);
    reading.feed(std::string_view(all).substr(0, cut));
    reading.feed(std::string_view(all).substr(cut));
    const bool is_split = cut > before.size() && cut < before.size() + wanted.size();
    ASSERT_EQ(reading.not_copied.size(), 1U);
    EXPECT_EQ(reading.not_copied[0], !is_split) << "cut at " << cut;
    EXPECT_EQ(reading.messages[1], wanted);
  }
}

TEST(FrameReader, collected_message_outlives_its_inputs_when_it_spans_them) {
  FrameReader reader;
  const std::string bytes = message('Q', "SELECT 1\0"sv);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const HeapBytes heap(bytes.substr(at, 1));
    std::string_view input = heap.view();
    while (true) {
      const Step step = reader.next(input);
      if (step != Step::header) break;
      reader.collect();
    }
  }
  EXPECT_EQ(reader.bytes(), bytes);
  EXPECT_FALSE(reader.points_into_input());
}

TEST(FrameReader, copied_message_leaves_nothing_behind_for_the_next) {
  Reading reading(collect_all);
  const std::string first = message('Q', "a long first one\0"sv);
  const std::string second = message('Q', "b\0"sv);
  reading.feed(first.substr(0, 7));
  reading.feed(first.substr(7) + second + first.substr(0, 3));
  reading.feed(first.substr(3));
  EXPECT_EQ(reading.messages, (std::vector<std::string>{first, second, first}));
  EXPECT_EQ(reading.not_copied, (std::vector<bool>{false, true, false}));
}

TEST(FrameReader, header_alone_in_its_input_is_passed_on_at_once) {
  const std::string bytes = message('d', "body");
  HeapBytes heap(bytes.substr(0, 5));
  std::string_view input = heap.view();
  FrameReader reader;
  ASSERT_EQ(reader.next(input), Step::header);
  reader.stream();
  ASSERT_EQ(reader.next(input), Step::piece) << "although nothing is left of the input";
  EXPECT_EQ(reader.bytes(), bytes.substr(0, 5));
  EXPECT_TRUE(reader.points_into_input());
  EXPECT_FALSE(reader.last_piece());
  EXPECT_TRUE(reader.inside_streamed());
  EXPECT_EQ(reader.next(input), Step::need_more);
}

TEST(FrameReader, split_header_is_a_piece_of_its_own) {
  FrameReader reader;
  std::string_view first = "d\0\0"sv;
  ASSERT_EQ(reader.next(first), Step::need_more);
  std::string_view second = "\0\x06xy"sv;
  ASSERT_EQ(reader.next(second), Step::header);
  reader.stream();
  ASSERT_EQ(reader.next(second), Step::piece);
  EXPECT_EQ(reader.bytes(), "d\0\0\0\x06"sv);
  EXPECT_FALSE(reader.points_into_input());
  ASSERT_EQ(reader.next(second), Step::piece);
  EXPECT_EQ(reader.bytes(), "xy");
  EXPECT_TRUE(reader.points_into_input());
  EXPECT_TRUE(reader.last_piece());
}

TEST(FrameReader, message_without_body_ends_with_its_header) {
  for (std::size_t cut = 0; cut < 5; ++cut) {
    FrameReader reader;
    const std::string bytes = message('S', "");
    std::string_view first = std::string_view(bytes).substr(0, cut);
    ASSERT_EQ(reader.next(first), Step::need_more);
    std::string_view second = std::string_view(bytes).substr(cut);
    ASSERT_EQ(reader.next(second), Step::header);
    EXPECT_EQ(reader.length(), 4U);
    EXPECT_EQ(reader.total_bytes(), 5U);
    reader.stream();
    ASSERT_EQ(reader.next(second), Step::piece);
    EXPECT_EQ(reader.bytes(), bytes);
    EXPECT_TRUE(reader.last_piece());
    EXPECT_EQ(reader.points_into_input(), cut == 0);
    EXPECT_TRUE(reader.at_boundary());
  }
}

TEST(FrameReader, boundary_lies_only_between_messages) {
  const std::string bytes = message('Q', "SELECT 1\0"sv);
  for (const auto choose : {stream_all, collect_all}) {
    Reading reading(choose);
    EXPECT_TRUE(reading.reader.at_boundary());
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      reading.feed(std::string_view(bytes).substr(at, 1));
      EXPECT_EQ(reading.reader.at_boundary(), at + 1 == bytes.size()) << at;
    }
  }
}

TEST(FrameReader, type_and_length_are_known_until_the_end_of_the_message) {
  FrameReader reader;
  const std::string bytes = message('\xff', "abc");
  std::string_view input = bytes;
  ASSERT_EQ(reader.next(input), Step::header);
  EXPECT_EQ(reader.type(), '\xff');
  EXPECT_EQ(reader.length(), 7U);
  EXPECT_EQ(reader.total_bytes(), 8U);
  reader.collect();
  ASSERT_EQ(reader.next(input), Step::message);
  EXPECT_EQ(reader.type(), '\xff');
  EXPECT_EQ(reader.total_bytes(), 8U);
}

TEST(FrameReader, length_that_does_not_hold_itself_is_refused) {
  for (const std::uint32_t length : {0U, 1U, 2U, 3U, 0x80000000U, 0xFFFFFFFFU}) {
    const std::string bytes = header('Q', length) + "rest";
    for (std::size_t cut = 0; cut < FrameReader::kHeaderBytes; ++cut) {
      Reading reading(collect_all);
      EXPECT_EQ(reading.feed(bytes.substr(0, cut)), Step::need_more);
      EXPECT_EQ(reading.feed(bytes.substr(cut)), Step::bad_length) << length;
      EXPECT_EQ(reading.feed("more"), Step::bad_length) << "the stream stays unreadable";
      EXPECT_TRUE(reading.messages.empty());
    }
  }
}

TEST(FrameReader, bad_length_after_good_messages_is_refused_there) {
  Reading reading(collect_all);
  EXPECT_EQ(reading.feed(joined(samples()) + header('Q', 3)), Step::bad_length);
  EXPECT_EQ(reading.messages, samples());
}

TEST(FrameReader, largest_message_streams_without_being_kept) {
  constexpr std::uint32_t kLargest = std::numeric_limits<std::int32_t>::max();
  const std::string start = header('d', kLargest);
  const std::string chunk(std::size_t{1} << 20, 'x');
  FrameReader reader;
  std::string_view input = start;
  ASSERT_EQ(reader.next(input), Step::header);
  EXPECT_EQ(reader.total_bytes(), (std::uint64_t{1} << 31));
  reader.stream();
  ASSERT_EQ(reader.next(input), Step::piece);
  std::uint64_t passed = reader.bytes().size();
  while (!reader.last_piece()) {
    input = chunk;
    ASSERT_EQ(reader.next(input), Step::piece);
    ASSERT_TRUE(is_inside(reader.bytes(), chunk));
    passed += reader.bytes().size();
  }
  EXPECT_EQ(passed, std::uint64_t{1} << 31);
  EXPECT_EQ(input.size(), FrameReader::kHeaderBytes) << "what follows is not part of it";
  EXPECT_TRUE(reader.at_boundary());
}

TEST(FrameReader, collecting_a_huge_message_waits_for_its_bytes) {
  FrameReader reader;
  const std::string bytes = header('Q', 0x7FFFFFFF) + "SELECT";
  std::string_view input = bytes;
  ASSERT_EQ(reader.next(input), Step::header);
  reader.collect();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(reader.next(input), Step::need_more);
    EXPECT_TRUE(input.empty());
    EXPECT_FALSE(reader.last_piece());
    EXPECT_FALSE(reader.at_boundary());
    input = "more";
  }
}

}  // namespace
}  // namespace helios::pgwire
