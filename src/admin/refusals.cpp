// SPDX-License-Identifier: Apache-2.0
#include "admin/refusals.hpp"

#include "admin/replies.hpp"
#include "admin/target.hpp"
#include "base/rfc3339.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace helios::admin {
namespace {

std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t min,
                                          std::uint64_t max) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || error != std::errc() || stop != end || number < min || number > max)
    return std::nullopt;
  return number;
}

base::Result<void> take(const std::string& name, const std::string& value, RefusalQuery& out) {
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const auto wrong = [](const std::string& what) { return base::fail(base::Errc::invalid, what); };
  if (name == "tenant") {
    out.tenant = value;
  } else if (name == "user") {
    out.user = value;
  } else if (name == "plugin") {
    out.plugin = value;
  } else if (name == "since") {
    const auto since = base::parse_rfc3339(value);
    if (!since) return wrong("since: " + since.error().message);
    out.since_ms = *since;
  } else if (name == "after") {
    out.after = parse_number(value, 0, kMost);
    if (!out.after) return wrong("after must be the number of a refusal");
  } else if (name == "limit") {
    const auto limit = parse_number(value, 1, kMaxRefusals);
    if (!limit)
      return wrong("limit must be a whole number from 1 to " + std::to_string(kMaxRefusals));
    out.limit = *limit;
  } else {
    return wrong("unknown query parameter: " + name);
  }
  return {};
}

boost::json::value text_or_null(std::string_view text) {
  if (text.empty()) return nullptr;
  return boost::json::value(readable(text));
}

// All 16 of them.
std::string hex_digits(std::uint64_t number) {
  std::array<char, 16> buffer{};
  const auto [end, error] = std::to_chars(buffer.begin(), buffer.end(), number, 16);
  const auto count = static_cast<std::size_t>(end - buffer.begin());
  return std::string(buffer.size() - count, '0') + std::string(buffer.begin(), end);
}

boost::json::value fingerprint_or_null(std::optional<std::uint64_t> fingerprint) {
  if (!fingerprint) return nullptr;
  return boost::json::value(hex_digits(*fingerprint));
}

boost::json::object to_json(const RefusalStatus& refusal) {
  return {{"number", refusal.number},
          {"time", base::to_rfc3339(refusal.time_ms)},
          {"request_id", refusal.request_id},
          {"plugin", readable(refusal.plugin)},
          {"decided_by", refusal.decided_by},
          {"sqlstate", readable(refusal.sqlstate)},
          {"reason", readable(refusal.reason)},
          {"detail", text_or_null(refusal.detail)},
          {"hint", text_or_null(refusal.hint)},
          {"fault", text_or_null(refusal.fault)},
          {"user", readable(refusal.user)},
          {"database", readable(refusal.database)},
          {"tenant", text_or_null(refusal.tenant)},
          {"client", text_or_null(refusal.client)},
          {"application_name", text_or_null(refusal.application_name)},
          {"statement_kind", text_or_null(refusal.statement_kind)},
          {"fingerprint", fingerprint_or_null(refusal.fingerprint)}};
}

}  // namespace

base::Result<RefusalQuery> parse_refusal_query(std::string_view query) {
  const auto parameters = parse_query(query);
  if (!parameters) return std::unexpected(parameters.error());
  RefusalQuery result;
  for (const auto& [name, value] : *parameters) {
    if (auto taken = take(name, value, result); !taken) return std::unexpected(taken.error());
  }
  return result;
}

std::string refusals_json(const RefusalPage& page) {
  boost::json::array list;
  for (const RefusalStatus& refusal : page.refusals) list.emplace_back(to_json(refusal));
  return boost::json::serialize(boost::json::object{
      {"refusals", std::move(list)}, {"last", page.last_number}, {"forgotten", page.forgotten}});
}

}  // namespace helios::admin
