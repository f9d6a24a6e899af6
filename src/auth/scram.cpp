// SPDX-License-Identifier: Apache-2.0
#include "auth/scram.hpp"

#include "base/base64.hpp"
#include "base/sha256.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stringprep.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <new>

namespace helios::auth {
namespace {

constexpr std::size_t kSaltBytes = 16;   // as PostgreSQL makes them
constexpr std::size_t kNonceBytes = 18;  // 24 characters

Key hmac(std::string_view key, std::string_view text) {
  Key made;
  unsigned int size = Key::kBytes;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), made.data(),
           &size) == nullptr)
    throw std::bad_alloc();
  return made;
}

// Cuts off what stands in front of `mark`, and the mark. False: there is none.
bool take_until(std::string_view& text, char mark, std::string_view& out) {
  const auto at = text.find(mark);
  if (at == std::string_view::npos) return false;
  out = text.substr(0, at);
  text.remove_prefix(at + 1);
  return true;
}

bool read_iterations(std::string_view digits, std::uint32_t& out) {
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return error == std::errc() && end == digits.data() + digits.size() && out > 0 &&
         out <= kMaxScramIterations;
}

bool read_key(std::string_view base64, Key& out) {
  const auto bytes = base::base64_decode(base64);
  if (!bytes || bytes->size() != Key::kBytes) return false;
  out = Key(*bytes);
  return true;
}

}  // namespace

base::Result<ScramVerifier> parse_verifier(std::string_view text) {
  const auto wrong = [](std::string_view what) {
    return base::fail(base::Errc::invalid, "malformed SCRAM verifier: it " + std::string(what));
  };
  std::string_view name;
  std::string_view iterations;
  std::string_view salt;
  std::string_view stored_key;
  if (!take_until(text, '$', name) || name != kScram)
    return wrong("must begin with SCRAM-SHA-256$");
  if (!take_until(text, ':', iterations) || !take_until(text, '$', salt) ||
      !take_until(text, ':', stored_key))
    return wrong("must read SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>");
  ScramVerifier verifier;
  if (!read_iterations(iterations, verifier.iterations))
    return wrong("needs a number of iterations from 1 to 1000000");
  auto salt_bytes = base::base64_decode(salt);
  if (!salt_bytes || salt_bytes->empty()) return wrong("needs a salt in base64");
  if (!read_key(stored_key, verifier.stored_key))
    return wrong("needs a StoredKey of 32 bytes in base64");
  if (!read_key(text, verifier.server_key)) return wrong("needs a ServerKey of 32 bytes in base64");
  verifier.salt = *std::move(salt_bytes);
  return verifier;
}

std::string to_text(const ScramVerifier& verifier) {
  return std::string(kScram) + "$" + std::to_string(verifier.iterations) + ":" +
         base::base64_encode(verifier.salt) + "$" +
         base::base64_encode(verifier.stored_key.view()) + ":" +
         base::base64_encode(verifier.server_key.view());
}

ScramVerifier make_verifier(std::string_view password, std::string salt, std::uint32_t iterations) {
  const Key salted = salted_password(password, salt, iterations);
  return {iterations, std::move(salt), hash(client_key(salted)), server_key(salted)};
}

ScramVerifier make_mock_verifier(std::string_view user, std::string_view secret,
                                 std::uint32_t iterations) {
  const auto derive = [&](std::string_view what) {
    return hmac(secret, std::string(what) + '\0' + std::string(user));
  };
  return {iterations, std::string(derive("salt").view().substr(0, kSaltBytes)),
          derive("stored key"), derive("server key")};
}

SecretText prepare_password(std::string_view password) {
  const SecretText given{std::string(password)};
  char* prepared = nullptr;
  if (stringprep_profile(given.text().c_str(), &prepared, "SASLprep", STRINGPREP_NO_UNASSIGNED) !=
      STRINGPREP_OK)
    return given;
  const std::unique_ptr<char, decltype(&std::free)> owner(prepared, &std::free);
  SecretText result{std::string(prepared)};
  wipe(prepared, result.text().size());
  // Of nothing but what says nothing, the empty password must not be the right one.
  return result.empty() ? given : result;
}

Key hmac(const Key& key, std::string_view text) { return hmac(key.view(), text); }

Key hash(const Key& key) {
  base::Sha256 digest;
  digest.update(key.view());
  return Key(base::bytes_of(digest.finish()));
}

Key exclusive_or(const Key& one, const Key& other) {
  Key made(one);
  for (std::size_t at = 0; at < Key::kBytes; ++at)
    made.data()[at] ^= static_cast<unsigned char>(other.view()[at]);
  return made;
}

Key salted_password(std::string_view password, std::string_view salt, std::uint32_t iterations) {
  Key made;
  if (PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                        reinterpret_cast<const unsigned char*>(salt.data()),
                        static_cast<int>(salt.size()), static_cast<int>(iterations), EVP_sha256(),
                        Key::kBytes, made.data()) != 1)
    throw std::bad_alloc();
  return made;
}

Key client_key(const Key& salted_password) { return hmac(salted_password, "Client Key"); }
Key server_key(const Key& salted_password) { return hmac(salted_password, "Server Key"); }

std::string make_nonce() {
  std::array<unsigned char, kNonceBytes> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) throw std::bad_alloc();
  return base::base64_encode({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace helios::auth
