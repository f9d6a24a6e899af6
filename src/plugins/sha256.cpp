// SPDX-License-Identifier: Apache-2.0
#include "plugins/sha256.hpp"

namespace helios::plugins {

namespace {

// One for each thread: making it costs more than hashing a short text.
base::Sha256& hasher() {
  thread_local base::Sha256 made;
  return made;
}

}  // namespace

void sha256_hex(std::string_view bytes, std::span<char, kSha256HexBytes> out) {
  hasher().update(bytes);
  base::to_hex(hasher().finish(), out);
}

std::string sha256_hex(std::string_view bytes) {
  std::string out(kSha256HexBytes, '0');
  sha256_hex(bytes, std::span<char, kSha256HexBytes>(out));
  return out;
}

bool sha256_hex_while(const std::function<bool()>& go_on, std::string_view bytes,
                      std::span<char, kSha256HexBytes> out) {
  base::Sha256 sha;
  for (bool first = true; !bytes.empty(); first = false) {
    if (!first && !go_on()) return false;
    const std::string_view piece = bytes.substr(0, kSha256PieceBytes);
    sha.update(piece);
    bytes.remove_prefix(piece.size());
  }
  base::to_hex(sha.finish(), out);
  return true;
}

}  // namespace helios::plugins
