// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads a binary module section by section, as far as it is well-formed. Whoever uses it leaves errors to the
// engine.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace helios::plugins {

inline constexpr std::string_view kWasmMagic{"\0asm", 4};
inline constexpr std::size_t kWasmHeaderBytes = 8;

enum WasmSection : unsigned char {
  kTypeSection = 1,
  kImportSection = 2,
  kFunctionSection = 3,
  kGlobalSection = 6,
  kExportSection = 7,
  kElementSection = 9,
  kCodeSection = 10,
  kDataSection = 11,
};

// What is left to read. Everything answers nullopt at the end of the bytes.
class WasmCursor {
 public:
  explicit WasmCursor(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] bool at_end() const { return bytes_.empty(); }

  std::optional<unsigned char> byte() {
    if (bytes_.empty()) return std::nullopt;
    const auto first = static_cast<unsigned char>(bytes_.front());
    bytes_.remove_prefix(1);
    return first;
  }

  // An unsigned LEB128 number of at most 32 bits.
  std::optional<std::uint32_t> number() {
    constexpr unsigned kMaxShift = 28;
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift <= kMaxShift; shift += 7) {
      const auto next = byte();
      if (!next) return std::nullopt;
      value |= std::uint64_t{*next & 0x7FU} << shift;
      if ((*next & 0x80U) == 0) return static_cast<std::uint32_t>(value);
    }
    return std::nullopt;
  }

  // A signed LEB128 number of at most 32 bits, as an address.
  std::optional<std::uint32_t> address() {
    constexpr unsigned kMaxShift = 28;
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift <= kMaxShift; shift += 7) {
      const auto next = byte();
      if (!next) return std::nullopt;
      value |= std::uint64_t{*next & 0x7FU} << shift;
      if ((*next & 0x80U) != 0) continue;
      if ((*next & 0x40U) != 0) value |= ~std::uint64_t{0} << (shift + 7);
      return static_cast<std::uint32_t>(value);
    }
    return std::nullopt;
  }

  std::optional<std::string_view> take(std::size_t count) {
    if (count > bytes_.size()) return std::nullopt;
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }

 private:
  std::string_view bytes_;
};

}  // namespace helios::plugins
