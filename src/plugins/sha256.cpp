// SPDX-License-Identifier: Apache-2.0
#include "plugins/sha256.hpp"

#include <openssl/evp.h>

#include <array>

namespace helios::plugins {

void sha256_hex(std::string_view bytes, std::span<char, kSha256HexBytes> out) {
  // Looked up once: finding an algorithm by name costs more than hashing a short text.
  static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  std::array<unsigned char, kSha256HexBytes / 2> digest{};
  // Cannot fail for a built-in digest over memory.
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, algorithm, nullptr);
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (std::size_t i = 0; i < digest.size(); ++i) {
    out[2 * i] = kDigits[digest[i] >> 4];
    out[2 * i + 1] = kDigits[digest[i] & 15];
  }
}

std::string sha256_hex(std::string_view bytes) {
  std::string out(kSha256HexBytes, '0');
  sha256_hex(bytes, std::span<char, kSha256HexBytes>(out));
  return out;
}

}  // namespace helios::plugins
