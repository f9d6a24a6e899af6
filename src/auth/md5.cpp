// SPDX-License-Identifier: Apache-2.0
#include "auth/md5.hpp"

#include "base/text.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <new>

namespace helios::auth {
namespace {

constexpr std::string_view kPrefix = "md5";

std::string md5_hex(const std::string& text) {
  std::array<unsigned char, 16> digest{};
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_md5(), nullptr) != 1)
    throw std::bad_alloc();  // nothing else can fail, but where MD5 is forbidden (FIPS)
  return base::to_hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace

std::string md5_hash(std::string_view password, std::string_view user) {
  return std::string(kPrefix) + md5_hex(std::string(password) + std::string(user));
}

std::string md5_answer(std::string_view hash, std::string_view salt) {
  return std::string(kPrefix) +
         md5_hex(std::string(hash.substr(kPrefix.size())) + std::string(salt));
}

bool equals_secretly(std::string_view one, std::string_view other) {
  return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

}  // namespace helios::auth
