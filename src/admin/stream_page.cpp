// SPDX-License-Identifier: Apache-2.0
#include "admin/stream_page.hpp"

#include "admin/json_bytes.hpp"
#include "admin/target.hpp"
#include "base/rfc3339.hpp"
#include "base/sha256.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

namespace helios::admin {
namespace {

base::Result<void> read_number(std::string_view name, std::string_view text, std::uint64_t max,
                               std::uint64_t& out) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0 || number > max)
    return base::fail(
        base::Errc::invalid,
        std::string(name) + " must be a whole number from 1 to " + std::to_string(max));
  out = number;
  return {};
}

base::Result<void> read_parameter(std::string_view name, std::string_view value,
                                  kv::StreamRange& out) {
  if (name == "from")
    return read_number(name, value, std::numeric_limits<kv::RecordNumber>::max(), out.from);
  if (name == "limit") return read_number(name, value, kMaxRecordLimit, out.max_records);
  if (name == "max_bytes") return read_number(name, value, kMaxPageBytes, out.max_bytes);
  if (name != "since")
    return base::fail(base::Errc::invalid, "unknown query parameter: " + std::string(name));
  const auto since = base::parse_rfc3339(value);
  if (!since) return base::fail(base::Errc::invalid, "since: " + since.error().message);
  out.since_ms = *since;
  return {};
}

void put_extent(boost::json::object& object, const kv::StreamExtent& extent) {
  object["first"] = extent.first;
  object["next"] = extent.next;
  object["bytes"] = extent.bytes;
  if (extent.next > 1) object["last_time"] = base::to_rfc3339(extent.last_time_ms);
}

boost::json::object to_json(const kv::StreamRecord& record) {
  boost::json::object object{{"number", record.number},
                             {"time", base::to_rfc3339(record.time_ms)},
                             {"digest", base::to_hex(record.digest)}};
  put_value(object, record.bytes);
  return object;
}

}  // namespace

base::Result<kv::StreamRange> parse_stream_range(std::string_view query) {
  const auto parameters = parse_query(query);
  if (!parameters) return base::fail(parameters.error().code, parameters.error().message);
  kv::StreamRange range{.max_records = kDefaultRecordLimit, .max_bytes = kDefaultPageBytes};
  for (const auto& [name, value] : *parameters) {
    if (auto read = read_parameter(name, value, range); !read) return std::unexpected(read.error());
  }
  return range;
}

Response stream_list_reply(std::string_view plugin, const std::vector<kv::StreamInfo>& streams) {
  boost::json::array list;
  for (const kv::StreamInfo& info : streams) {
    boost::json::object stream{{"stream", info.name}};
    put_extent(stream, info.extent);
    list.emplace_back(std::move(stream));
  }
  Response response;
  response.body =
      boost::json::serialize(boost::json::object{{"plugin", plugin}, {"streams", std::move(list)}});
  return response;
}

Response stream_page_reply(std::string_view plugin, std::string_view stream,
                           const kv::StreamRange& range, const kv::StreamPage& page) {
  boost::json::object body{{"plugin", plugin}, {"stream", stream}};
  put_extent(body, page.extent);
  if (!page.records.empty()) body["before"] = base::to_hex(page.before);
  boost::json::array records;
  for (const kv::StreamRecord& record : page.records) records.emplace_back(to_json(record));
  body["records"] = std::move(records);
  // Without records everything that is there is older than what was asked for.
  body["next_from"] = page.records.empty() ? std::max(range.from, page.extent.next)
                                           : page.records.back().number + 1;
  Response response;
  response.body = boost::json::serialize(body);
  return response;
}

std::string record_line(const kv::StreamRecord& record) {
  return boost::json::serialize(to_json(record));
}

Response stream_lines_reply(const kv::StreamPage& page) {
  Response response;
  response.content_type = kLinesType;
  for (const kv::StreamRecord& record : page.records) response.body += record_line(record) + '\n';
  return response;
}

}  // namespace helios::admin
