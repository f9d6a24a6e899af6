// SPDX-License-Identifier: Apache-2.0
#include "kv/namespace_name.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace helios::kv {
namespace {

constexpr std::string_view kIgnoredPrefix = "helios-plugin-";

bool is_allowed(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.';
}

bool is_namespace_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNamespaceNameBytes && name.front() != '.' &&
         std::ranges::all_of(name, is_allowed);
}

}  // namespace

base::Result<std::string> namespace_name(std::string_view plugin_name) {
  std::string name(plugin_name);
  std::ranges::replace(name, '_', '-');
  while (name.starts_with(kIgnoredPrefix)) name.erase(0, kIgnoredPrefix.size());
  if (!is_namespace_name(name)) {
    return base::fail(base::Errc::invalid,
                      "\"" + base::escape_for_log(plugin_name) +
                          "\" is no plugin name: 1 to 128 letters, digits, '-', '_' and '.' are, "
                          "not beginning with '.'");
  }
  return name;
}

}  // namespace helios::kv
