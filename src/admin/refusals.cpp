// SPDX-License-Identifier: Apache-2.0
#include "admin/refusals.hpp"

#include "admin/replies.hpp"
#include "admin/target.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
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
    const auto since = parse_number(value, 0, kMost);
    if (!since) return wrong("since must be milliseconds since 1970-01-01 UTC");
    out.since_ms = static_cast<std::int64_t>(*since);
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

// `number` in decimal, or hexadecimal, digits: at least `width` of them.
std::string digits(std::uint64_t number, std::size_t width, int base = 10) {
  std::array<char, 24> buffer{};
  const auto [end, error] = std::to_chars(buffer.begin(), buffer.end(), number, base);
  const auto count = static_cast<std::size_t>(end - buffer.begin());
  return std::string(width > count ? width - count : 0, '0') + std::string(buffer.begin(), end);
}

std::string digits(std::int64_t number, std::size_t width) {
  return digits(static_cast<std::uint64_t>(number), width);
}

// RFC 3339.
std::string to_time(std::int64_t time_ms) {
  namespace chrono = std::chrono;
  const chrono::sys_time<chrono::milliseconds> time{chrono::milliseconds(time_ms)};
  const auto day = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss clock(time - day);
  return digits(std::int64_t{static_cast<int>(date.year())}, 4) + '-' +
         digits(std::uint64_t{static_cast<unsigned>(date.month())}, 2) + '-' +
         digits(std::uint64_t{static_cast<unsigned>(date.day())}, 2) + 'T' +
         digits(std::int64_t{clock.hours().count()}, 2) + ':' +
         digits(std::int64_t{clock.minutes().count()}, 2) + ':' +
         digits(std::int64_t{clock.seconds().count()}, 2) + '.' +
         digits(std::int64_t{clock.subseconds().count()}, 3) + 'Z';
}

boost::json::value fingerprint_or_null(std::optional<std::uint64_t> fingerprint) {
  if (!fingerprint) return nullptr;
  return boost::json::value(digits(*fingerprint, 16, 16));
}

boost::json::object to_json(const RefusalStatus& refusal) {
  return {{"number", refusal.number},
          {"time", to_time(refusal.time_ms)},
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
  std::vector<std::string_view> seen;
  for (const auto& [name, value] : *parameters) {
    if (std::ranges::find(seen, name) != seen.end())
      return base::fail(base::Errc::invalid, "repeated query parameter: " + name);
    seen.push_back(name);
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
