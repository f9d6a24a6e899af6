// SPDX-License-Identifier: Apache-2.0
#pragma once

// Appends the field types of the PostgreSQL protocol to a string: the counterpart of ByteReader.

#include <cstdint>
#include <string>
#include <string_view>

namespace helios::base {

// Writes a 32-bit integer in network order over the four bytes at `at`.
void store_i32(char* at, std::int32_t value);

// Reads a 32-bit integer in network order from the four bytes at `at`.
[[nodiscard]] std::int32_t load_i32(const char* at);

void append_i16(std::string& out, std::int16_t value);
void append_i32(std::string& out, std::int32_t value);

// Appends `text` and its terminating NUL. Requires: no NUL inside.
void append_cstring(std::string& out, std::string_view text);

}  // namespace helios::base
