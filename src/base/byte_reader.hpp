// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads the field types of the PostgreSQL protocol from a bounded run of bytes: Int8/16/32 in
// network order, String (NUL-terminated), Byte[n]. The first read past the end or without its
// terminator makes the reader fail for good: every later read returns zero or empty, so a decoder
// checks ok() once at its end.
//
// Views returned live as long as the bytes handed to the constructor.

#include <cstdint>
#include <string_view>

namespace helios::base {

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t read_u8();
  std::int16_t read_i16();
  std::int32_t read_i32();
  std::uint32_t read_u32() { return static_cast<std::uint32_t>(read_i32()); }

  // A String: the bytes before the terminating NUL, which is consumed too.
  std::string_view read_cstring();

  // Exactly `count` bytes.
  std::string_view read_bytes(std::size_t count);

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] std::size_t remaining() const { return rest_.size(); }

  // True when nothing failed and nothing is left over: what a decoder asks at its end.
  [[nodiscard]] bool finished() const { return ok_ && rest_.empty(); }

 private:
  void set_failed();

  std::string_view rest_;  // empty once failed
  bool ok_ = true;
};

}  // namespace helios::base
