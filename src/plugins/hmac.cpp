// SPDX-License-Identifier: Apache-2.0
#include "plugins/hmac.hpp"

#include "base/sha256.hpp"

#include <cstddef>

namespace helios::plugins {

namespace {

constexpr std::size_t kBlockBytes = 64;  // of SHA-256
constexpr unsigned char kInner = 0x36;
constexpr unsigned char kOuter = 0x5c;

void begin(base::Sha256& sha, const HmacKey& key, unsigned char pad) {
  std::array<char, kBlockBytes> block{};
  for (std::size_t i = 0; i < block.size(); ++i)
    block[i] = static_cast<char>((i < key.size() ? key[i] : 0) ^ pad);
  sha.update({block.data(), block.size()});
}

// One for each thread: making it costs more than hashing a short text.
base::Sha256& hasher() {
  thread_local base::Sha256 made;
  return made;
}

}  // namespace

bool hmac_sha256_hex_while(const std::function<bool()>& go_on, const HmacKey& key,
                           std::string_view bytes, std::span<char, kSha256HexBytes> out) {
  base::Sha256& sha = hasher();
  begin(sha, key, kInner);
  for (bool first = true; !bytes.empty(); first = false) {
    if (!first && !go_on()) {
      (void)sha.finish();  // ready for another text
      return false;
    }
    const std::string_view piece = bytes.substr(0, kSha256PieceBytes);
    sha.update(piece);
    bytes.remove_prefix(piece.size());
  }
  const base::Sha256Digest inner = sha.finish();
  begin(sha, key, kOuter);
  sha.update(base::bytes_of(inner));
  base::to_hex(sha.finish(), out);
  return true;
}

}  // namespace helios::plugins
