// SPDX-License-Identifier: Apache-2.0
#include "plugins/wasm.hpp"

namespace helios::plugins {

namespace {

std::string_view to_text(ValueType type) {
  switch (type) {
    case ValueType::i32: return "i32";
    case ValueType::i64: return "i64";
    case ValueType::f32: return "f32";
    case ValueType::f64: return "f64";
    case ValueType::other: return "another type";
  }
  return "";
}

std::string to_list(const std::vector<ValueType>& types) {
  std::string out;
  for (const ValueType type : types) {
    if (!out.empty()) out += ", ";
    out += to_text(type);
  }
  return out;
}

}  // namespace

std::string to_text(const FunctionType& type) {
  std::string out = "(" + to_list(type.params) + ")";
  if (!type.results.empty()) out += " -> " + to_list(type.results);
  return out;
}

}  // namespace helios::plugins
