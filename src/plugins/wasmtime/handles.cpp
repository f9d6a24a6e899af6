// SPDX-License-Identifier: Apache-2.0
#include "plugins/wasmtime/handles.hpp"

namespace helios::plugins::detail {

namespace {

constexpr std::size_t kMaxMessageBytes = 400;

}  // namespace

std::string one_line(std::string_view text) {
  std::string out;
  bool space = false;
  for (const char c : text) {
    if (c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\0') {
      space = !out.empty();
      continue;
    }
    if (out.size() >= kMaxMessageBytes) return out + "...";
    if (space) out += ' ';
    space = false;
    out += c;
  }
  return out;
}

std::string message_of(const wasmtime_error_t& error) {
  Bytes text;
  wasmtime_error_message(&error, text.out());
  return one_line({text.begin(), text.size()});
}

std::string message_of(const wasm_trap_t& trap) {
  Bytes text;
  wasm_trap_message(&trap, text.out());
  return one_line({text.begin(), text.size()});
}

}  // namespace helios::plugins::detail
