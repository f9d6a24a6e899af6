// SPDX-License-Identifier: Apache-2.0
#include "wasm_bytes.hpp"

namespace helios::plugins {

using namespace std::literals;

namespace {

std::string text(std::string_view bytes) { return leb(bytes.size()) + std::string(bytes); }

std::string section(char id, std::string_view content) { return id + text(content); }

// A vector: its count, then its elements.
std::string section(char id, std::size_t count, std::string_view elements) {
  return section(id, leb(count) + std::string(elements));
}

std::string numbered(char prefix, std::uint32_t number) {
  return text(prefix + std::to_string(number));
}

std::string type_section(const WasmBytes& more) {
  constexpr std::uint32_t kOwn = 5;
  return section(1, kOwn + more.types,
                 "\x60\0\0"s
                 "\x60\1\x7f\1\x7f"s
                 "\x60\2\x7f\x7f\0"s
                 "\x60\2\x7f\x7f\1\x7e"s
                 "\x60"s +
                     leb(more.params) + repeat("\x7f", more.params) + "\0"s +
                     repeat("\x60\0\0"sv, more.types));
}

std::string import_section(const WasmBytes& more) {
  std::string content;
  for (std::uint32_t i = 0; i < more.imports; ++i)
    content += text("env") + numbered('f', i) + "\0\0"s;
  return section(2, more.imports, content);
}

std::string export_section(const WasmBytes& more) {
  const std::string alloc = "\0"s + leb(more.imports);
  std::string content = text("memory") + "\2\0"s + text("alloc") + alloc + text("dealloc") + "\0"s +
                        leb(more.imports + 1) + text("pre_query") + "\0"s + leb(more.imports + 2);
  std::size_t count = 4;
  for (std::uint32_t i = 0; i < more.exports; ++i, ++count) content += numbered('e', i) + alloc;
  if (!more.export_name.empty()) {
    content += text(more.export_name) + alloc;
    ++count;
  }
  return section(7, count, content);
}

std::string code_section(const WasmBytes& more) {
  // alloc: i32.const 1024; dealloc: nothing; pre_query: i64.const 0
  std::string content = text(wasm_body(0, "\x41\x80\x08"sv)) + text(wasm_body(0, "")) +
                        text(wasm_body(0, "\x42\0"sv));
  for (const std::string& body : more.bodies) content += text(body);
  return section(10, 3 + more.bodies.size(), content);
}

}  // namespace

std::string leb(std::uint64_t number) {
  std::string out;
  for (; number >= 0x80; number >>= 7) out.push_back(static_cast<char>(number | 0x80));
  out.push_back(static_cast<char>(number));
  return out;
}

std::string repeat(std::string_view text, std::size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

std::string wasm_body(std::uint32_t locals, std::string_view code) {
  const std::string groups = locals == 0 ? "\0"s : "\1"s + leb(locals) + "\x7f"s;
  return groups + std::string(code) + "\x0b"s;
}

std::string wasm_plugin(const WasmBytes& more) {
  std::string out = "\0asm\1\0\0\0"s;
  if (more.custom_bytes != 0) out += section(0, text("pad") + std::string(more.custom_bytes, 'x'));
  out += type_section(more) + import_section(more);
  out += section(3, 3 + more.bodies.size(), "\1\2\3"s + repeat("\0"sv, more.bodies.size()));
  out += section(4, 1, "\x70\0\1"sv);
  out += section(5, 1, "\0\1"sv);
  out += section(6, more.globals, repeat("\x7f\0\x41\0\x0b"sv, more.globals));
  out += export_section(more);
  out += section(9, more.elements, repeat("\0\x41\0\x0b\0"sv, more.elements));
  out += code_section(more);
  out += section(11, more.data, repeat("\0\x41\0\x0b\0"sv, more.data));
  if (!more.names.empty()) out += section(0, text("name") + more.names);
  return out;
}

}  // namespace helios::plugins
