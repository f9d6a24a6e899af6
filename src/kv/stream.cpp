// SPDX-License-Identifier: Apache-2.0
#include "kv/stream.hpp"

#include <algorithm>

namespace helios::kv {
namespace {

bool is_allowed(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

}  // namespace

bool is_stream_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxStreamNameBytes && name.front() != '.' &&
         std::ranges::all_of(name, is_allowed);
}

base::Sha256Digest first_digest(std::string_view space, std::string_view stream) {
  using namespace std::string_view_literals;
  base::Sha256 sha;
  sha.update("heliosproxy stream\0"sv);
  sha.update(space);
  sha.update("\0"sv);
  sha.update(stream);
  return sha.finish();
}

base::Sha256Digest next_digest(base::Sha256& sha, const base::Sha256Digest& before,
                               std::string_view bytes) {
  sha.update(base::bytes_of(before));
  sha.update(bytes);
  return sha.finish();
}

}  // namespace helios::kv
