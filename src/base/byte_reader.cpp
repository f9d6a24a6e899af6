// SPDX-License-Identifier: Apache-2.0
#include "base/byte_reader.hpp"

#include "base/byte_writer.hpp"

namespace helios::base {

void ByteReader::set_failed() {
  ok_ = false;
  rest_ = {};
}

std::string_view ByteReader::read_bytes(std::size_t count) {
  if (!ok_ || rest_.size() < count) {
    set_failed();
    return {};
  }
  const std::string_view taken = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return taken;
}

std::uint8_t ByteReader::read_u8() {
  const std::string_view raw = read_bytes(1);
  return raw.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(raw[0]);
}

std::int16_t ByteReader::read_i16() {
  const std::string_view raw = read_bytes(2);
  if (raw.empty()) return 0;
  const auto high = static_cast<unsigned char>(raw[0]);
  const auto low = static_cast<unsigned char>(raw[1]);
  return static_cast<std::int16_t>(high << 8U | low);
}

std::int32_t ByteReader::read_i32() {
  const std::string_view raw = read_bytes(4);
  return raw.empty() ? 0 : load_i32(raw.data());
}

std::string_view ByteReader::read_cstring() {
  // Most names are empty.
  const std::size_t end = rest_.starts_with('\0') ? 0 : rest_.find('\0');
  if (!ok_ || end == std::string_view::npos) {
    set_failed();
    return {};
  }
  const std::string_view text = rest_.substr(0, end);
  rest_.remove_prefix(end + 1);
  return text;
}

}  // namespace helios::base
