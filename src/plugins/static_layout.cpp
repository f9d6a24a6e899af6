// SPDX-License-Identifier: Apache-2.0
#include "plugins/static_layout.hpp"

#include "plugins/wasm_cursor.hpp"

#include <algorithm>
#include <optional>

namespace helios::plugins {

namespace {

constexpr unsigned char kI32 = 0x7F;
constexpr unsigned char kMutable = 1;
constexpr unsigned char kI32Const = 0x41;
constexpr unsigned char kEnd = 0x0B;
constexpr std::uint32_t kPassive = 1;
constexpr std::uint32_t kWithMemory = 2;

// The value of an expression that is one constant.
std::optional<std::uint32_t> read_constant(WasmCursor& cursor) {
  if (cursor.byte() != kI32Const) return std::nullopt;
  const auto value = cursor.address();
  return cursor.byte() == kEnd ? value : std::nullopt;
}

}  // namespace

// The first global is the stack pointer where a linker has made the module. No global is imported: the proxy
// offers none.
void StaticLayout::read_globals(std::string_view content) {
  WasmCursor globals(content);
  const auto count = globals.number();
  if (!count || *count == 0 || globals.byte() != kI32 || globals.byte() != kMutable) return;
  stack_top_ = read_constant(globals).value_or(0);
}

void StaticLayout::read_data(std::string_view content) {
  WasmCursor segments(content);
  const auto count = segments.number();
  for (std::uint32_t i = 0; count && i < *count; ++i) {
    const auto kind = segments.number();
    if (!kind || (*kind == kWithMemory && !segments.number())) return;
    std::optional<std::uint32_t> begin;
    if (*kind != kPassive) {
      begin = read_constant(segments);
      if (!begin) return;
    }
    const auto size = segments.number();
    if (!size || !segments.take(*size)) return;
    if (begin && *size != 0) data_begin_.push_back(*begin);
  }
}

StaticLayout StaticLayout::of(std::string_view binary) {
  StaticLayout layout;
  WasmCursor module(binary);
  const auto header = module.take(kWasmHeaderBytes);
  if (!header || !header->starts_with(kWasmMagic)) return layout;
  while (!module.at_end()) {
    const auto id = module.byte();
    const auto size = module.number();
    const auto content = size ? module.take(*size) : std::nullopt;
    if (!content) break;
    if (*id == kGlobalSection) layout.read_globals(*content);
    if (*id == kDataSection) layout.read_data(*content);
  }
  std::ranges::sort(layout.data_begin_);
  if (layout.data_begin_.empty() || layout.data_begin_.front() < layout.stack_top_)
    layout.stack_top_ = 0;
  return layout;
}

bool StaticLayout::has_room(std::uint32_t begin, std::uint64_t size) const {
  const std::uint64_t end = begin + size;
  if (begin < stack_top_ && end + kStackReserveBytes > stack_top_) return false;
  const auto next = std::ranges::upper_bound(data_begin_, begin);
  return next == data_begin_.end() || end <= *next;
}

}  // namespace helios::plugins
