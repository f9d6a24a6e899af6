// SPDX-License-Identifier: Apache-2.0
#pragma once

// Makes binary modules that no text would be short enough for: a plugin that does nothing, with as much
// of something added as a test asks for.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace helios::plugins {

struct WasmBytes {
  std::uint32_t types = 0;            // more function types: () -> ()
  std::uint32_t params = 0;           // one more type, with so many i32 parameters
  std::uint32_t imports = 0;          // functions of type () -> (), "env" "f0", "f1", ...
  std::vector<std::string> bodies{};  // more functions of type () -> (), see wasm_body()
  std::uint32_t globals = 0;
  std::uint32_t exports = 0;       // of alloc, once more under the name "e0", "e1", ...
  std::string export_name{};       // of alloc, once more
  std::uint32_t elements = 0;      // empty segments
  std::uint32_t data = 0;          // empty segments
  std::uint32_t custom_bytes = 0;  // of a custom section called "pad"
  std::string names{};             // the content of a custom section called "name"
};

[[nodiscard]] std::string wasm_plugin(const WasmBytes& more);

// A function's body: `locals` of type i32, then `code`, then its end.
[[nodiscard]] std::string wasm_body(std::uint32_t locals, std::string_view code);

[[nodiscard]] std::string leb(std::uint64_t number);
[[nodiscard]] std::string repeat(std::string_view text, std::size_t times);

}  // namespace helios::plugins
