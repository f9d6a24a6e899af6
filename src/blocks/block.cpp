// SPDX-License-Identifier: Apache-2.0
#include "blocks/block.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace helios::blocks {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

base::Result<void> too_long(std::string_view what, std::size_t bytes, std::size_t most) {
  return base::fail(base::Errc::invalid, "the " + std::string(what) + " has " +
                                             std::to_string(bytes) + " bytes, more than " +
                                             std::to_string(most));
}

}  // namespace

std::string_view to_word(Kind kind) {
  switch (kind) {
    case Kind::user: return "user";
    case Kind::database: return "database";
    case Kind::tenant: return "tenant";
    case Kind::agent: return "agent";
  }
  return "";
}

std::optional<Kind> parse_kind(std::string_view word) {
  const auto found =
      std::ranges::find_if(kKinds, [word](Kind kind) { return to_word(kind) == word; });
  return found == kKinds.end() ? std::nullopt : std::optional<Kind>(*found);
}

base::Result<void> check(const Block& block) {
  if (block.name.empty())
    return base::fail(base::Errc::invalid, "a block needs the name of whom it is for");
  if (block.name.size() > kMaxNameBytes) return too_long("name", block.name.size(), kMaxNameBytes);
  if (block.name.find('\0') != std::string::npos)
    return base::fail(base::Errc::invalid, "no name has a NUL byte in it");
  if (block.reason.empty())
    return base::fail(base::Errc::invalid, "a block needs a reason: those who are blocked see it");
  if (block.reason.size() > kMaxReasonBytes)
    return too_long("reason", block.reason.size(), kMaxReasonBytes);
  if (!base::is_valid_utf8(block.reason) || std::ranges::any_of(block.reason, is_control))
    return base::fail(base::Errc::invalid,
                      "the reason has to be one line of UTF-8 without control characters");
  return {};
}

std::string explanation(const Block& block) {
  return std::string(to_word(block.kind)) + " \"" + block.name + "\" is blocked: " + block.reason +
         ". Ask the administrator of this proxy.";
}

}  // namespace helios::blocks
