// SPDX-License-Identifier: Apache-2.0
#include "base/sha256.hpp"

#include <openssl/evp.h>

#include <new>
#include <span>

namespace helios::base {
namespace {

// Looked up once: finding an algorithm by name costs more than hashing a short text.
const EVP_MD* algorithm() {
  static EVP_MD* const found = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return found;
}

}  // namespace

std::string to_hex(const Sha256Digest& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(kSha256HexBytes);
  for (const unsigned char byte : digest) {
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
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
