// SPDX-License-Identifier: Apache-2.0
//
// FrameReader: however a byte stream is cut, the same messages come out, and they are those that a
// reader with the whole stream at hand finds.
// Input: 8 bytes that choose the cuts, then the stream.

#include "base/byte_writer.hpp"
#include "fuzz/support/fuzz.hpp"
#include "pgwire/frame_reader.hpp"

#include <algorithm>
#include <vector>

namespace helios::fuzz {
namespace {

using pgwire::FrameReader;

struct Frame {
  char type = 0;
  std::uint32_t length = 0;
  std::string bytes = {};  // delivered so far
  bool complete = false;
  bool operator==(const Frame&) const = default;
};

struct Frames {
  std::vector<Frame> frames;
  bool bad_length = false;
  bool operator==(const Frames&) const = default;
};

bool is_collected(char type) { return (type & 1) != 0; }

// The same from the whole stream: what a message that is not there wholly delivers depends on how it
// is read, in pieces or as one.
Frames expected_frames(std::string_view stream) {
  Frames result;
  while (stream.size() >= FrameReader::kHeaderBytes) {
    Frame frame{.type = stream[0],
                .length = static_cast<std::uint32_t>(base::load_i32(stream.data() + 1))};
    if (frame.length < 4 || frame.length > INT32_MAX) {
      result.bad_length = true;
      break;
    }
    const std::uint64_t total = std::uint64_t{frame.length} + 1;
    frame.complete = stream.size() >= total;
    const auto present = static_cast<std::size_t>(std::min(total, std::uint64_t{stream.size()}));
    if (frame.complete || !is_collected(frame.type)) frame.bytes = stream.substr(0, present);
    stream.remove_prefix(present);
    result.frames.push_back(std::move(frame));
  }
  return result;
}

class Reading {
 public:
  // Takes one input as it arrives. What is delivered must stand where the reader says.
  void arrive(std::string_view input) {
    const std::string_view whole = input;
    while (!frames_.bad_length) {
      switch (reader_.next(input)) {
        case FrameReader::Step::need_more:
          require(input.empty(), "need_more leaves bytes behind");
          return;
        case FrameReader::Step::bad_length: frames_.bad_length = true; break;
        case FrameReader::Step::header: begin(); break;
        case FrameReader::Step::piece: add_piece(whole); break;
        case FrameReader::Step::message: add_message(whole); break;
      }
    }
  }

  [[nodiscard]] const Frames& frames() const { return frames_; }
  [[nodiscard]] const FrameReader& reader() const { return reader_; }

 private:
  void begin() {
    frames_.frames.push_back({.type = reader_.type(), .length = reader_.length()});
    if (is_collected(reader_.type())) {
      reader_.collect();
    } else {
      reader_.stream();
    }
  }

  void check_place(std::string_view whole) const {
    const std::string_view bytes = reader_.bytes();
    const bool is_inside =
        bytes.data() >= whole.data() && bytes.data() + bytes.size() <= whole.data() + whole.size();
    require(!reader_.points_into_input() || is_inside, "bytes() is not in the input");
  }

  void add_piece(std::string_view whole) {
    check_place(whole);
    require(!reader_.bytes().empty(), "an empty piece");
    frames_.frames.back().bytes += reader_.bytes();
    frames_.frames.back().complete = reader_.last_piece();
  }

  void add_message(std::string_view whole) {
    check_place(whole);
    require(reader_.bytes().size() == reader_.total_bytes(), "a message of another length");
    require_equal(reader_.body(), reader_.bytes().substr(FrameReader::kHeaderBytes), "body()");
    frames_.frames.back().bytes = reader_.bytes();
    frames_.frames.back().complete = true;
  }

  FrameReader reader_;
  Frames frames_;
};

void check(const Reading& reading, const Frames& expected, std::string_view stream) {
  require(reading.frames() == expected, "other messages than in the stream");
  std::size_t used = 0;
  for (const Frame& frame : expected.frames) {
    used += static_cast<std::size_t>(
        std::min(std::uint64_t{frame.length} + 1, std::uint64_t{stream.size() - used}));
  }
  const bool is_whole = std::ranges::all_of(expected.frames, &Frame::complete);
  if (!expected.bad_length) {
    require(reading.reader().at_boundary() == (is_whole && used == stream.size()),
            "at_boundary() between messages and nowhere else");
  }
}

}  // namespace
}  // namespace helios::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace helios::fuzz;
  Input input(text_of(data, size));
  const std::string_view cuts = input.take_bytes(8);
  const std::string_view stream = input.rest();
  const Frames expected = expected_frames(stream);

  Reading at_once;
  at_once.arrive(stream);
  check(at_once, expected, stream);

  // Each input in memory of its own, so that a view kept too long is seen.
  Reading in_parts;
  std::string_view rest = stream;
  for (std::size_t i = 0; !rest.empty(); ++i) {
    const std::size_t wanted =
        cuts.empty() ? 1 : static_cast<unsigned char>(cuts[i % cuts.size()]) + std::size_t{1};
    const std::string part(rest.substr(0, wanted));
    rest.remove_prefix(part.size());
    in_parts.arrive(part);
  }
  check(in_parts, expected, stream);

  Reading by_bytes;
  for (const char byte : stream) by_bytes.arrive(std::string(1, byte));
  check(by_bytes, expected, stream);
  return 0;
}
