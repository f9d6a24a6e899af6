// SPDX-License-Identifier: Apache-2.0
#include "plugins/module_limits.hpp"

#include <optional>
#include <string>

namespace helios::plugins {

namespace {

using Check = base::Result<void>;
using namespace std::literals;

constexpr std::string_view kMagic = "\0asm"sv;
constexpr std::string_view kComponentVersion = "\x0d\0\x01\0"sv;
constexpr std::size_t kHeaderBytes = 8;
constexpr unsigned char kFunctionType = 0x60;

enum Section : unsigned char {
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
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}

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

  std::optional<std::string_view> take(std::size_t count) {
    if (count > bytes_.size()) return std::nullopt;
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }

 private:
  std::string_view bytes_;
};

Check over(std::string_view what, std::uint64_t count, std::uint64_t limit) {
  if (count <= limit) return {};
  return base::fail(base::Errc::invalid, "has " + std::to_string(count) + " " + std::string(what) +
                                             "; the limit is " + std::to_string(limit));
}

Check check_types(Cursor types, std::uint32_t count, const ModuleLimits& limits) {
  for (std::uint32_t i = 0; i < count; ++i) {
    if (types.byte() != kFunctionType) return {};
    for (const std::string_view what :
         {"parameters in one function type"sv, "results in one function type"sv}) {
      const auto values = types.number();
      if (!values) return {};
      if (auto checked = over(what, *values, limits.values_per_type); !checked) return checked;
      if (!types.take(*values)) return {};
    }
  }
  return {};
}

Check check_locals(Cursor body, const ModuleLimits& limits) {
  const auto groups = body.number();
  std::uint64_t locals = 0;
  for (std::uint32_t i = 0; groups && i < *groups; ++i) {
    const auto count = body.number();
    if (!count || !body.byte()) return {};
    locals += *count;
    if (auto checked = over("locals in one function", locals, limits.locals_per_function); !checked)
      return checked;
  }
  return {};
}

Check check_code(Cursor code, std::uint32_t count, const ModuleLimits& limits) {
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto size = code.number();
    if (!size) return {};
    if (auto checked = over("bytes in one function", *size, limits.function_bytes); !checked)
      return checked;
    const auto body = code.take(*size);
    if (!body) return {};
    if (auto checked = check_locals(Cursor(*body), limits); !checked) return checked;
  }
  return {};
}

Check check_section(unsigned char id, Cursor content, const ModuleLimits& limits) {
  const auto count = content.number();
  if (!count) return {};
  switch (id) {
    case kTypeSection:
      if (auto checked = over("types", *count, limits.types); !checked) return checked;
      return check_types(content, *count, limits);
    case kImportSection: return over("imports", *count, limits.imports);
    case kFunctionSection: return over("functions", *count, limits.functions);
    case kGlobalSection: return over("globals", *count, limits.globals);
    case kExportSection: return over("exports", *count, limits.exports);
    case kElementSection: return over("element segments", *count, limits.elements);
    case kCodeSection: return check_code(content, *count, limits);
    case kDataSection: return over("data segments", *count, limits.data);
    default: return {};
  }
}

}  // namespace

base::Result<void> check_module_limits(std::string_view binary, const ModuleLimits& limits) {
  Cursor module(binary);
  const auto header = module.take(kHeaderBytes);
  if (!header || !header->starts_with(kMagic)) return {};
  if (header->ends_with(kComponentVersion))
    return base::fail(base::Errc::invalid, "is a component; a plugin is a core module");
  while (!module.at_end()) {
    const auto id = module.byte();
    const auto size = module.number();
    const auto content = size ? module.take(*size) : std::nullopt;
    if (!content) return {};
    if (auto checked = check_section(*id, Cursor(*content), limits); !checked) return checked;
  }
  return {};
}

}  // namespace helios::plugins
