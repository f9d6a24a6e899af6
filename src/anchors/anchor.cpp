// SPDX-License-Identifier: Apache-2.0
#include "anchors/anchor.hpp"

#include "base/rfc3339.hpp"
#include "base/sha256.hpp"
#include "kv/namespace_name.hpp"

#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

namespace helios::anchors {
namespace {

std::optional<kv::RecordNumber> parse_number(std::string_view text) {
  kv::RecordNumber number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_complete = error == std::errc() && end == text.data() + text.size();
  return is_complete && number != 0 ? std::optional(number) : std::nullopt;
}

bool is_digest(std::string_view text) {
  return text.size() == base::kSha256HexBytes &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// What stands before the first `separator`, and what behind it.
std::pair<std::string_view, std::string_view> cut(std::string_view text, char separator) {
  const std::size_t at = text.find(separator);
  if (at == std::string_view::npos) return {text, {}};
  return {text.substr(0, at), text.substr(at + 1)};
}

}  // namespace

base::Result<StreamId> parse_stream_id(std::string_view text) {
  const auto [plugin, stream] = cut(text, '/');
  auto space = kv::namespace_name(plugin);
  if (!space || !kv::is_stream_name(stream))
    return base::fail(base::Errc::invalid, "must be NAMESPACE/STREAM, as in audit-chain/trail");
  return StreamId{*std::move(space), std::string(stream)};
}

std::string to_string(const StreamId& id) { return id.space + "/" + id.stream; }

std::string to_line(const Anchor& anchor) {
  return base::to_rfc3339(anchor.time_ms) + " " + to_string(anchor.stream) + " " +
         std::to_string(anchor.number) + ":" + anchor.sha256;
}

// Names have no character that JSON would want escaped.
std::string to_json(const Anchor& anchor) {
  return R"({"time":")" + base::to_rfc3339(anchor.time_ms) + R"(","stream":")" +
         to_string(anchor.stream) + R"(","number":)" + std::to_string(anchor.number) +
         R"(,"sha256":")" + anchor.sha256 + R"("})";
}

base::Result<Anchor> parse_line(std::string_view line) {
  const auto [time, behind_time] = cut(line, ' ');
  const auto [name, link] = cut(behind_time, ' ');
  const auto [number, digest] = cut(link, ':');
  const auto time_ms = base::parse_rfc3339(time);
  auto stream = parse_stream_id(name);
  const auto record = parse_number(number);
  if (!time_ms || !stream || !record || !is_digest(digest))
    return base::fail(
        base::Errc::invalid,
        "is no anchor: expected TIME NAMESPACE/STREAM NUMBER:SHA256, as heliosproxy writes it");
  return Anchor{.time_ms = *time_ms,
                .stream = *std::move(stream),
                .number = *record,
                .sha256 = std::string(digest)};
}

}  // namespace helios::anchors
