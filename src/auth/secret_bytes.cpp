// SPDX-License-Identifier: Apache-2.0
#include "auth/secret_bytes.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace helios::auth {

void wipe(void* bytes, std::size_t count) { OPENSSL_cleanse(bytes, count); }

void wipe(std::string& text) {
  text.resize(text.capacity());
  wipe(text.data(), text.size());
  text.clear();
}

Key::Key(std::string_view bytes) {
  assert(bytes.size() == kBytes);
  std::ranges::copy(bytes, bytes_.begin());
}

bool Key::operator==(const Key& other) const {
  return CRYPTO_memcmp(bytes_.data(), other.bytes_.data(), kBytes) == 0;
}

SecretText& SecretText::operator=(const SecretText& other) {
  *this = SecretText(other);
  return *this;
}

// A short text stands in the string itself, and stays there when it is moved.
SecretText::SecretText(SecretText&& other) noexcept { *this = std::move(other); }

SecretText& SecretText::operator=(SecretText&& other) noexcept {
  if (this == &other) return *this;
  wipe(text_);
  text_.swap(other.text_);
  wipe(other.text_);
  return *this;
}

}  // namespace helios::auth
