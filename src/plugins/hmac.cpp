// SPDX-License-Identifier: Apache-2.0
#include "plugins/hmac.hpp"

#include "base/sha256.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <memory>
#include <new>

namespace helios::plugins {

namespace {

using MacContext = std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)>;

MacContext make_context() {
  EVP_MAC* const found = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  EVP_MAC_CTX* const made = found == nullptr ? nullptr : EVP_MAC_CTX_new(found);
  EVP_MAC_free(found);  // the context has its own share of it
  if (made == nullptr) throw std::bad_alloc();
  return {made, &EVP_MAC_CTX_free};
}

// One for each thread: making it costs more than hashing a short text.
EVP_MAC_CTX* context() {
  thread_local const MacContext made = make_context();
  return made.get();
}

// None of the calls below can fail for a built-in digest over memory, but for want of it.
void check(int status) {
  if (status != 1) throw std::bad_alloc();
}

}  // namespace

bool hmac_sha256_hex_while(const std::function<bool()>& go_on, const HmacKey& key,
                           std::string_view bytes, std::span<char, kSha256HexBytes> out) {
  EVP_MAC_CTX* const mac = context();
  char digest_name[] = "SHA256";
  const std::array parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name, 0),
      OSSL_PARAM_construct_end()};
  check(EVP_MAC_init(mac, key.data(), key.size(), parameters.data()));
  for (bool first = true; !bytes.empty(); first = false) {
    if (!first && !go_on()) return false;
    const std::string_view piece = bytes.substr(0, kSha256PieceBytes);
    check(EVP_MAC_update(mac, reinterpret_cast<const unsigned char*>(piece.data()), piece.size()));
    bytes.remove_prefix(piece.size());
  }
  base::Sha256Digest digest{};
  std::size_t length = 0;
  check(EVP_MAC_final(mac, digest.data(), &length, digest.size()));
  base::to_hex(digest, out);
  return true;
}

}  // namespace helios::plugins
