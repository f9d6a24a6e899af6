// SPDX-License-Identifier: Apache-2.0
#include "admin/kv_listing.hpp"

#include "admin/json_bytes.hpp"
#include "admin/target.hpp"
#include "base/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

namespace helios::admin {
namespace {

// The store's own page: small, so that whatever it locks meanwhile is free again soon.
constexpr std::uint64_t kScanBytes = 1ULL << 20;

struct Found {
  std::vector<kv::Item> items;  // without their values, unless these were asked for
  bool complete = true;
};

std::optional<bool> parse_bool(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

std::optional<std::uint64_t> parse_limit(std::string_view text) {
  std::uint64_t limit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  if (!is_number || limit == 0 || limit > kMaxListLimit) return std::nullopt;
  return limit;
}

Found collect(kv::Store& store, kv::Namespace& space, const ListRequest& request) {
  Found result;
  std::uint64_t listed_bytes = 0;
  std::uint64_t scanned_bytes = 0;
  std::string after = request.after;
  while (true) {
    kv::ScanRange range{request.prefix, after, request.limit - result.items.size(),
                        // Room for one entry of any size, or a large one would be an empty page.
                        kScanBytes + store.limits().max_key_bytes + store.limits().max_value_bytes};
    kv::ScanPage page = store.scan(space, range);
    for (kv::Item& item : page.items) {
      scanned_bytes += item.key.size() + item.value.size();
      if (!request.with_values) item.value = {};
      listed_bytes += item.key.size() + item.value.size();
      result.items.push_back(std::move(item));
    }
    result.complete = page.complete;
    if (page.complete || page.items.empty() || result.items.size() >= request.limit ||
        listed_bytes >= kMaxListedBytes || scanned_bytes >= kMaxScannedBytes)
      return result;
    after = result.items.back().key;
  }
}

std::string next_page(std::string_view plugin, const ListRequest& request,
                      std::string_view last_key) {
  return "/admin/kv/" + percent_encode(plugin) + "/?prefix=" + percent_encode(request.prefix) +
         "&after=" + percent_encode(last_key) + "&limit=" + std::to_string(request.limit) +
         (request.with_values ? "&values=true" : "");
}

void put_keys(boost::json::object& body, const Found& found) {
  boost::json::array texts;
  boost::json::array encoded;
  for (const kv::Item& item : found.items) {
    if (base::is_valid_utf8(item.key))
      texts.emplace_back(item.key);
    else
      encoded.emplace_back(percent_encode(item.key));
  }
  body["keys"] = std::move(texts);
  if (!encoded.empty()) body["keys_percent_encoded"] = std::move(encoded);
}

void put_entries(boost::json::object& body, const Found& found, StartId start) {
  boost::json::array entries;
  for (const kv::Item& item : found.items) {
    boost::json::object entry;
    put_key(entry, item.key);
    put_value(entry, item.value);
    put_counter(entry, item.value);
    entry["version"] = item.version;
    entry["etag"] = entity_tag(start, item.version);
    if (item.expires_at_ms != kv::kNeverExpires) entry["expires_at_ms"] = item.expires_at_ms;
    entries.emplace_back(std::move(entry));
  }
  body["entries"] = std::move(entries);
}

}  // namespace

base::Result<ListRequest> parse_list_request(std::string_view query) {
  const auto parameters = parse_query(query);
  if (!parameters) return base::fail(parameters.error().code, parameters.error().message);
  ListRequest result;
  for (const auto& [name, value] : *parameters) {
    if (name == "prefix") {
      result.prefix = value;
    } else if (name == "after") {
      result.after = value;
    } else if (name == "limit") {
      const auto limit = parse_limit(value);
      if (!limit)
        return base::fail(base::Errc::invalid, "limit must be a whole number from 1 to " +
                                                   std::to_string(kMaxListLimit));
      result.limit = *limit;
    } else if (name == "values") {
      const auto with_values = parse_bool(value);
      if (!with_values) return base::fail(base::Errc::invalid, "values must be true or false");
      result.with_values = *with_values;
    } else {
      return base::fail(base::Errc::invalid, "unknown query parameter: " + name);
    }
  }
  return result;
}

Response list_keys(const KvContext& context, kv::Namespace* space, std::string_view plugin,
                   const ListRequest& request) {
  Found found;
  if (space != nullptr) found = collect(*context.store, *space, request);
  boost::json::object body{{"plugin", plugin}};
  request.with_values ? put_entries(body, found, context.start) : put_keys(body, found);
  if (!found.complete && !found.items.empty())
    body["next"] = next_page(plugin, request, found.items.back().key);
  Response response;
  response.body = boost::json::serialize(body);
  return response;
}

}  // namespace helios::admin
