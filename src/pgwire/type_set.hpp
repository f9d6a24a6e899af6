// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace helios::pgwire {

// Some type bytes of messages. To ask for one costs no search.
class TypeSet {
 public:
  // Requires: ASCII.
  constexpr explicit TypeSet(std::string_view types) {
    for (const char type : types) words_[type / kWordBits] |= std::uint64_t{1} << type % kWordBits;
  }

  [[nodiscard]] constexpr bool contains(char type) const {
    const auto byte = static_cast<unsigned char>(type);
    return byte < 2 * kWordBits && (words_[byte / kWordBits] >> byte % kWordBits & 1) != 0;
  }

 private:
  static constexpr unsigned kWordBits = 64;

  std::uint64_t words_[2] = {};
};

}  // namespace helios::pgwire
