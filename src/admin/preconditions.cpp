// SPDX-License-Identifier: Apache-2.0
#include "admin/preconditions.hpp"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>

namespace helios::admin {
namespace {

constexpr std::size_t kMaxTags = 100;

void skip_blanks(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

// Takes one entity tag off the front. RFC 9110 section 8.8.3: anything but '"' within its quotes.
std::optional<std::string> take_tag(std::string_view& text) {
  if (text.starts_with("W/")) text.remove_prefix(2);
  if (!text.starts_with('"')) return std::nullopt;
  const auto end = text.find('"', 1);
  if (end == std::string_view::npos) return std::nullopt;
  std::string tag(text.substr(0, end + 1));
  text.remove_prefix(end + 1);
  return tag;
}

base::Result<std::optional<EntityTags>> parse_header(const std::optional<std::string>& header,
                                                     std::string_view name) {
  if (!header) return std::nullopt;
  auto tags = EntityTags::parse(*header);
  if (!tags) return base::fail(tags.error().code, std::string(name) + ": " + tags.error().message);
  return std::move(*tags);
}

}  // namespace

base::Result<EntityTags> EntityTags::parse(std::string_view header) {
  EntityTags result;
  skip_blanks(header);
  if (header.starts_with('*')) {
    header.remove_prefix(1);
    skip_blanks(header);
    result.any_ = true;
    if (header.empty()) return result;
  }
  while (!header.empty() && result.tags_.size() < kMaxTags && !result.any_) {
    auto tag = take_tag(header);
    if (!tag) break;
    result.tags_.push_back(std::move(*tag));
    skip_blanks(header);
    if (header.empty()) return result;
    if (!header.starts_with(',')) break;
    header.remove_prefix(1);
    skip_blanks(header);
  }
  return base::fail(base::Errc::invalid, "expected * or a list of at most " +
                                             std::to_string(kMaxTags) +
                                             " entity tags in double quotes");
}

bool EntityTags::match(std::string_view tag) const {
  if (tag.empty()) return false;
  return any_ || std::ranges::find(tags_, tag) != tags_.end();
}

bool Preconditions::hold(std::string_view tag) const {
  if (if_match && !if_match->match(tag)) return false;
  return !if_none_match || !if_none_match->match(tag);
}

base::Result<Preconditions> parse_preconditions(const Request& request) {
  auto match = parse_header(request.if_match, "If-Match");
  if (!match) return std::unexpected(match.error());
  auto none_match = parse_header(request.if_none_match, "If-None-Match");
  if (!none_match) return std::unexpected(none_match.error());
  return Preconditions{std::move(*match), std::move(*none_match)};
}

std::string entity_tag(StartId start, kv::Version version) {
  if (version == kv::kAbsent) return {};
  std::array<char, 48> text{};
  const int size =
      std::snprintf(text.data(), text.size(), "\"%016" PRIx64 "-%" PRIu64 "\"", start, version);
  return {text.data(), static_cast<std::size_t>(size)};
}

}  // namespace helios::admin
