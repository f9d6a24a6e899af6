// SPDX-License-Identifier: Apache-2.0
#include "plugins/sha256.hpp"

#include <openssl/evp.h>

#include <array>
#include <memory>

namespace helios::plugins {

namespace {

using Digest = std::array<unsigned char, kSha256HexBytes / 2>;

// Looked up once: finding an algorithm by name costs more than hashing a short text.
const EVP_MD* algorithm() {
  static EVP_MD* const found = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return found;
}

void write_hex(const Digest& digest, std::span<char, kSha256HexBytes> out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (std::size_t i = 0; i < digest.size(); ++i) {
    out[2 * i] = kDigits[digest[i] >> 4];
    out[2 * i + 1] = kDigits[digest[i] & 15];
  }
}

}  // namespace

void sha256_hex(std::string_view bytes, std::span<char, kSha256HexBytes> out) {
  Digest digest{};
  // Cannot fail for a built-in digest over memory.
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, algorithm(), nullptr);
  write_hex(digest, out);
}

std::string sha256_hex(std::string_view bytes) {
  std::string out(kSha256HexBytes, '0');
  sha256_hex(bytes, std::span<char, kSha256HexBytes>(out));
  return out;
}

bool sha256_hex_while(const std::function<bool()>& go_on, std::string_view bytes,
                      std::span<char, kSha256HexBytes> out) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  EVP_DigestInit_ex(context.get(), algorithm(), nullptr);
  for (bool first = true; !bytes.empty(); first = false) {
    if (!first && !go_on()) return false;
    const std::string_view piece = bytes.substr(0, kSha256PieceBytes);
    EVP_DigestUpdate(context.get(), piece.data(), piece.size());
    bytes.remove_prefix(piece.size());
  }
  Digest digest{};
  EVP_DigestFinal_ex(context.get(), digest.data(), nullptr);
  write_hex(digest, out);
  return true;
}

}  // namespace helios::plugins
