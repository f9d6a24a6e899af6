// SPDX-License-Identifier: Apache-2.0

#include "auth/user_secret.hpp"

#include "auth/scram.hpp"

#include <algorithm>
#include <utility>

namespace helios::auth {
namespace {

constexpr std::string_view kMd5 = "md5";
constexpr std::size_t kMd5Digits = 32;

bool is_md5(std::string_view text) {
  return text.size() == kMd5.size() + kMd5Digits && text.starts_with(kMd5) &&
         text.find_first_not_of("0123456789abcdefABCDEF", kMd5.size()) == std::string_view::npos;
}

char lower(char digit) { return digit >= 'A' ? static_cast<char>(digit | 0x20) : digit; }

}  // namespace

UserSecret::UserSecret(UserSecret&& other) noexcept
    : kind(std::exchange(other.kind, SecretKind::none)), text(std::move(other.text)) {}

UserSecret& UserSecret::operator=(UserSecret&& other) noexcept {
  kind = std::exchange(other.kind, SecretKind::none);
  text = std::move(other.text);
  return *this;
}

base::Result<UserSecret> UserSecret::of(std::string_view text) {
  UserSecret secret;
  if (text.empty()) return secret;
  std::string copy(text);
  secret.kind = SecretKind::plain;
  if (copy.starts_with(std::string(kScram) + "$")) {
    const auto verifier = parse_verifier(copy);
    if (!verifier) return std::unexpected(verifier.error());
    secret.kind = SecretKind::scram_sha_256;
  } else if (is_md5(copy)) {
    secret.kind = SecretKind::md5;
    // In place: another string would leave this one behind.
    std::ranges::transform(copy, copy.begin(), lower);
  }
  secret.text = SecretText(std::move(copy));
  return secret;
}

}  // namespace helios::auth
