// SPDX-License-Identifier: Apache-2.0
#include "plugins/wasmtime/handles.hpp"

#include "base/text.hpp"

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

// A message may quote names out of the module.
std::string message_of(const wasmtime_error_t& error) {
  Bytes text;
  wasmtime_error_message(&error, text.out());
  return base::escape_for_log(one_line({text.begin(), text.size()}), kMaxMessageBytes + 3);
}

std::string message_of(const wasm_trap_t& trap) {
  Bytes text;
  wasm_trap_message(&trap, text.out());
  return base::escape_for_log(one_line({text.begin(), text.size()}), kMaxMessageBytes + 3);
}

}  // namespace helios::plugins::detail
