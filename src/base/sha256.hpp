// SPDX-License-Identifier: Apache-2.0
#pragma once

// SHA-256 (FIPS 180-4), computed by OpenSSL.

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace helios::base {

using Sha256Digest = std::array<unsigned char, 32>;

inline constexpr std::size_t kSha256HexBytes = 64;

[[nodiscard]] inline std::string_view bytes_of(const Sha256Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// As lower-case hexadecimal digits.
void to_hex(const Sha256Digest& digest, std::span<char, kSha256HexBytes> out);
[[nodiscard]] std::string to_hex(const Sha256Digest& digest);

// The digest of one text after the other, each given in pieces. Whoever hashes much keeps one: making it
// costs more than hashing a short text. One thread at a time.
class Sha256 {
 public:
  // Throws std::bad_alloc.
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(std::string_view piece);
  // The digest of all pieces since the last call. The next piece begins another text.
  [[nodiscard]] Sha256Digest finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace helios::base
