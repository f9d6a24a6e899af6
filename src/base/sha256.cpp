// SPDX-License-Identifier: Apache-2.0
#include "base/sha256.hpp"

#include <openssl/evp.h>

#include <new>

namespace helios::base {
namespace {

// Looked up once: finding an algorithm by name costs more than hashing a short text.
const EVP_MD* algorithm() {
  static EVP_MD* const found = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return found;
}

}  // namespace

void to_hex(const Sha256Digest& digest, std::span<char, kSha256HexBytes> out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (std::size_t i = 0; i < digest.size(); ++i) {
    out[2 * i] = kDigits[digest[i] >> 4U];
    out[2 * i + 1] = kDigits[digest[i] & 15U];
  }
}

std::string to_hex(const Sha256Digest& digest) {
  std::string out(kSha256HexBytes, '0');
  to_hex(digest, std::span<char, kSha256HexBytes>(out));
  return out;
}

struct Sha256::Context {
  Context() : made(EVP_MD_CTX_new()) {
    if (made == nullptr) throw std::bad_alloc();
  }
  ~Context() { EVP_MD_CTX_free(made); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  EVP_MD_CTX* const made;
};

// None of these calls can fail for a built-in digest over memory.
Sha256::Sha256() : context_(std::make_unique<Context>()) {
  EVP_DigestInit_ex(context_->made, algorithm(), nullptr);
}

Sha256::~Sha256() = default;

void Sha256::update(std::string_view piece) {
  EVP_DigestUpdate(context_->made, piece.data(), piece.size());
}

Sha256Digest Sha256::finish() {
  Sha256Digest digest{};
  EVP_DigestFinal_ex(context_->made, digest.data(), nullptr);
  EVP_DigestInit_ex(context_->made, nullptr, nullptr);
  return digest;
}

}  // namespace helios::base
