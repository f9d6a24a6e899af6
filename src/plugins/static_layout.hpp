// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where a module keeps its stack and its static data, so that the input of a call is not written over them.
//
// A plugin of ABI 1 says itself where its input goes. The usual allocator of such plugins counts up from a
// fixed address in the middle of the stack and looks at nothing: a long text then lies over the plugin's own
// data, and a guard that reads its own data wrongly lets everything pass. Linkers put the stack in
// front of the data and its top into the first global, which is how the two are told apart here.

#include <cstdint>
#include <string_view>
#include <vector>

namespace helios::plugins {

// What a hook may need of the stack while the input lies in it.
inline constexpr std::uint32_t kStackReserveBytes = 64 * 1024;

class StaticLayout {
 public:
  StaticLayout() = default;

  // Of a binary module; of one that is not well-formed, what could be read.
  [[nodiscard]] static StaticLayout of(std::string_view binary);

  // May input be written to these bytes? No, when they reach into the stack that the hook needs, or
  // begin outside of a piece of static data and reach into it.
  [[nodiscard]] bool has_room(std::uint32_t begin, std::uint64_t size) const;

 private:
  void read_globals(std::string_view content);
  void read_data(std::string_view content);

  std::uint32_t stack_top_ = 0;            // 0: the stack is not in front of the data
  std::vector<std::uint32_t> data_begin_;  // of each piece of static data, sorted
};

}  // namespace helios::plugins
