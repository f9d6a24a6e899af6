// SPDX-License-Identifier: Apache-2.0
#include "base/byte_writer.hpp"

#include <cassert>

namespace helios::base {

void store_i32(char* at, std::int32_t value) {
  const auto raw = static_cast<std::uint32_t>(value);
  at[0] = static_cast<char>(raw >> 24U);
  at[1] = static_cast<char>(raw >> 16U);
  at[2] = static_cast<char>(raw >> 8U);
  at[3] = static_cast<char>(raw);
}

std::int32_t load_i32(const char* at) {
  const auto byte = [at](int i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(at[i]));
  };
  return static_cast<std::int32_t>(byte(0) << 24U | byte(1) << 16U | byte(2) << 8U | byte(3));
}

void append_i16(std::string& out, std::int16_t value) {
  const auto raw = static_cast<std::uint16_t>(value);
  out.push_back(static_cast<char>(raw >> 8U));
  out.push_back(static_cast<char>(raw));
}

void append_i32(std::string& out, std::int32_t value) {
  char raw[4];
  store_i32(raw, value);
  out.append(raw, sizeof raw);
}

void append_cstring(std::string& out, std::string_view text) {
  assert(text.find('\0') == std::string_view::npos);
  out.append(text);
  out.push_back('\0');
}

}  // namespace helios::base
