// SPDX-License-Identifier: Apache-2.0
#include "pgwire/frame_reader.hpp"

#include "base/byte_writer.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

namespace helios::pgwire {

std::uint32_t FrameReader::length() const {
  return static_cast<std::uint32_t>(base::load_i32(header_ + 1));
}

FrameReader::Step FrameReader::read_header(std::string_view& input) {
  // One long message does not make the reader large for ever.
  constexpr std::size_t kKeptBytes = 16 * 1024;
  if (gathered_.capacity() > kKeptBytes) [[unlikely]]
    std::string().swap(gathered_);
  if (input.empty()) return Step::need_more;
  header_in_input_ = header_have_ == 0 && input.size() >= kHeaderBytes;
  if (header_in_input_) [[likely]] {
    std::memcpy(header_, input.data(), kHeaderBytes);
  } else if (!complete_header(input)) {
    return Step::need_more;
  }
  header_have_ = kHeaderBytes;
  const std::uint32_t bytes = length();
  if (bytes < 4 || bytes > INT32_MAX) return Step::bad_length;
  left_ = bytes - 4;
  state_ = State::decide;
  return Step::header;
}

// Of one that comes in parts. False = there is more to come.
[[gnu::noinline]] bool FrameReader::complete_header(std::string_view& input) {
  const std::size_t taken = std::min(kHeaderBytes - header_have_, input.size());
  std::memcpy(header_ + header_have_, input.data(), taken);
  header_have_ += taken;
  input.remove_prefix(taken);
  return header_have_ == kHeaderBytes;
}

void FrameReader::stream() {
  assert(state_ == State::decide);
  header_sent_ = false;
  state_ = State::streaming;
}

void FrameReader::collect() {
  assert(state_ == State::decide);
  gathered_.clear();
  if (!header_in_input_) gathered_.assign(header_, kHeaderBytes);
  state_ = State::collecting;
}

// Takes the header, where it stands in the input, and as much of the body as there is.
std::string_view FrameReader::take(std::string_view& input) {
  const std::size_t before = std::exchange(header_in_input_, false) ? kHeaderBytes : 0;
  assert(input.size() >= before);
  const std::size_t body = std::min<std::uint64_t>(left_, input.size() - before);
  const std::string_view taken = input.substr(0, before + body);
  left_ -= body;
  input.remove_prefix(taken.size());
  return taken;
}

// The header is part of the first piece: directly when it stands before the body in this input,
// otherwise as a piece of its own.
FrameReader::Step FrameReader::pass_piece(std::string_view& input) {
  if (!header_sent_ && !header_in_input_) {
    bytes_ = {header_, kHeaderBytes};
    in_input_ = false;
  } else {
    if (input.empty()) return Step::need_more;
    bytes_ = take(input);
    in_input_ = true;
  }
  header_sent_ = true;
  if (left_ == 0) end_message();
  return Step::piece;
}

FrameReader::Step FrameReader::gather(std::string_view& input) {
  const bool begins_here = header_in_input_;
  const std::string_view taken = take(input);
  in_input_ = begins_here && left_ == 0;
  if (in_input_) {
    bytes_ = taken;
  } else {
    gathered_.append(taken);
    bytes_ = gathered_;
  }
  if (left_ > 0) return Step::need_more;
  end_message();
  return Step::message;
}

void FrameReader::end_message() {
  state_ = State::header;
  header_have_ = 0;
}

}  // namespace helios::pgwire
