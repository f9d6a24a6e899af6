// SPDX-License-Identifier: Apache-2.0
#pragma once

// Builds the bytes that tests read back.

#include "base/byte_writer.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace helios::pgwire::test {

inline std::string header(char type, std::uint32_t length) {
  std::string out(1, type);
  base::append_i32(out, static_cast<std::int32_t>(length));
  return out;
}

inline std::string message(char type, std::string_view body) {
  return header(type, static_cast<std::uint32_t>(4 + body.size())).append(body);
}

// An exact copy on the heap, so that AddressSanitizer sees a read one byte outside of it.
class HeapBytes {
 public:
  explicit HeapBytes(std::string_view bytes) : bytes_(bytes.begin(), bytes.end()) {
    bytes_.shrink_to_fit();
  }
  [[nodiscard]] std::string_view view() const { return {bytes_.data(), bytes_.size()}; }

 private:
  std::vector<char> bytes_;
};

}  // namespace helios::pgwire::test
