// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bytes as the database wants them. Private to the module.

#include <rocksdb/slice.h>

#include <array>
#include <cstddef>
#include <string_view>

namespace helios::kv::rocksdb {

[[nodiscard]] inline ::rocksdb::Slice slice(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}

template <std::size_t size>
[[nodiscard]] ::rocksdb::Slice slice(const std::array<char, size>& bytes) {
  return {bytes.data(), size};
}

}  // namespace helios::kv::rocksdb
