// SPDX-License-Identifier: Apache-2.0
#pragma once

// The client's message that is being decided: what the reader has just delivered, or, where it has to wait for answers or
// for a hook, a copy of it. Everything behind it waits too.
//
// Thread rule: the session's. Lifetime: the reader outlives it.

#include "backend/link.hpp"
#include "pgwire/frame_reader.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace helios::session {

class PresentMessage {
 public:
  explicit PresentMessage(const pgwire::FrameReader& reader) : reader_(reader) {}

  // It has to wait. Requires: the reader has just delivered all of it.
  void hold() { held_ = reader_.bytes(); }
  [[nodiscard]] bool is_held() const { return !held_.empty(); }
  // It is decided.
  void drop() { held_.clear(); }

  // Of one that was too long to be looked at, only the type is there.
  [[nodiscard]] char type() const { return is_held() ? held_.front() : reader_.type(); }
  // Without type byte and length word.
  [[nodiscard]] std::string_view body() const {
    return is_held() ? std::string_view(held_).substr(pgwire::FrameReader::kHeaderBytes)
                     : reader_.body();
  }
  // Views into it end with this.
  void forward_to(backend::Link& link) {
    if (is_held()) {
      link.send(std::exchange(held_, {}));
    } else {
      link.forward(reader_);
    }
  }

  [[nodiscard]] std::size_t held_bytes() const { return held_.capacity(); }

 private:
  const pgwire::FrameReader& reader_;
  std::string held_;
};

}  // namespace helios::session
