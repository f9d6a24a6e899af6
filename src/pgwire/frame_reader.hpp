// SPDX-License-Identifier: Apache-2.0
#pragma once

// Splits a byte stream into PostgreSQL messages: a type byte, a length word (which counts itself),
// a body. Knows lengths, not meanings; does no I/O.
//
// Flow, with `input` a view of bytes just received:
//  1 next(input) until it says need_more; each call takes what it used off the front of `input`.
//  2 After `header`, look at type() and length() and choose: stream() lets the message pass in
//    pieces as they come, in bounded memory; collect() delivers it whole. A header that stands whole in
//    `input` stays in front of it until its message, or its first piece, is delivered. So the caller
//    may stop after any step: what it keeps of `input` is all that the next call needs.
//  3 After `piece` or `message`, bytes() is the piece, or the whole message. The first piece begins
//    with the header; the piece that ends the message has last_piece().
//
// A message that lies wholly inside one input is never copied. Thread rule: one thread at a time.

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace helios::pgwire {

class FrameReader {
 public:
  enum class Step {
    need_more,   // input is used up
    header,      // a message begins: call stream() or collect(), then go on
    piece,       // the next part of a streamed message
    message,     // a whole collected message
    bad_length,  // the length word is below 4: the stream cannot be followed any further
  };

  static constexpr std::size_t kHeaderBytes = 5;

  // Here, so that each step costs no more than what it does itself: there are two for every message.
  [[nodiscard, gnu::always_inline]] Step next(std::string_view& input) {
    switch (state_) {
      case State::header: return read_header(input);
      case State::streaming: return pass_piece(input);
      case State::collecting: return gather(input);
      case State::decide: break;
    }
    assert(false && "stream() or collect() must follow a header");
    return Step::bad_length;
  }

  // After `header` and until the message's end.
  [[nodiscard]] char type() const { return header_[0]; }
  // The length word: the message without its type byte.
  [[nodiscard]] std::uint32_t length() const;
  // The whole message, type byte included.
  [[nodiscard]] std::uint64_t total_bytes() const { return std::uint64_t{length()} + 1; }

  void stream();
  void collect();

  // After `piece` or `message`. Lives until the next call of next(); when points_into_input(), as
  // long as that input.
  [[nodiscard]] std::string_view bytes() const { return bytes_; }
  [[nodiscard]] bool points_into_input() const { return in_input_; }
  [[nodiscard]] bool last_piece() const { return left_ == 0; }
  // After `message`: the body, without type byte and length word.
  [[nodiscard]] std::string_view body() const { return bytes_.substr(kHeaderBytes); }

  // True while a streamed message is only partly passed on.
  [[nodiscard]] bool inside_streamed() const { return state_ == State::streaming && header_sent_; }

  // Memory kept between calls: of a message that is being collected, or was.
  [[nodiscard]] std::size_t held_bytes() const { return gathered_.capacity(); }

  // A header was delivered, and the end of its message was not.
  [[nodiscard]] bool inside_message() const { return state_ != State::header; }

  // True between two messages: nothing has been taken of the next one.
  [[nodiscard]] bool at_boundary() const { return state_ == State::header && header_have_ == 0; }

 private:
  enum class State { header, decide, streaming, collecting };

  Step read_header(std::string_view& input);
  bool complete_header(std::string_view& input);
  std::string_view take(std::string_view& input);
  Step pass_piece(std::string_view& input);
  Step gather(std::string_view& input);
  void end_message();

  State state_ = State::header;
  char header_[kHeaderBytes] = {};
  std::size_t header_have_ = 0;   // bytes of header_ filled in
  bool header_in_input_ = false;  // the header is still the first thing of the input
  bool header_sent_ = false;      // streaming: the header was part of a piece
  std::uint64_t left_ = 0;        // bytes of the body not yet seen
  std::string gathered_;          // collecting across inputs
  std::string_view bytes_;
  bool in_input_ = false;
};

}  // namespace helios::pgwire
