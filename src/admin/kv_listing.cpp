// SPDX-License-Identifier: Apache-2.0
#include "admin/kv_listing.hpp"

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

struct Keys {
  std::vector<std::string> keys;
  bool complete = true;
};

std::optional<std::uint64_t> parse_limit(std::string_view text) {
  std::uint64_t limit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  if (!is_number || limit == 0 || limit > kMaxListLimit) return std::nullopt;
  return limit;
}

Keys collect_keys(kv::Store& store, kv::Namespace& space, const ListRequest& request) {
  Keys result;
  std::uint64_t listed_bytes = 0;
  std::uint64_t scanned_bytes = 0;
  std::string after = request.after;
  while (true) {
    kv::ScanRange range{request.prefix, after, request.limit - result.keys.size(),
                        // Room for one entry of any size, or a large one would be an empty page.
                        kScanBytes + store.limits().max_key_bytes + store.limits().max_value_bytes};
    kv::ScanPage page = store.scan(space, range);
    for (kv::Item& item : page.items) {
      listed_bytes += item.key.size();
      scanned_bytes += item.key.size() + item.value.size();
      result.keys.push_back(std::move(item.key));
    }
    result.complete = page.complete;
    if (page.complete || page.items.empty() || result.keys.size() >= request.limit ||
        listed_bytes >= kMaxListedKeyBytes || scanned_bytes >= kMaxScannedBytes)
      return result;
    after = result.keys.back();
  }
}

std::string next_page(std::string_view plugin, const ListRequest& request,
                      std::string_view last_key) {
  return "/admin/kv/" + percent_encode(plugin) + "/?prefix=" + percent_encode(request.prefix) +
         "&after=" + percent_encode(last_key) + "&limit=" + std::to_string(request.limit);
}

}  // namespace

base::Result<ListRequest> parse_list_request(std::string_view query) {
  const auto parameters = parse_query(query);
  if (!parameters) return base::fail(parameters.error().code, parameters.error().message);
  ListRequest result;
  std::vector<std::string_view> seen;
  for (const auto& [name, value] : *parameters) {
    if (std::ranges::find(seen, name) != seen.end())
      return base::fail(base::Errc::invalid, "repeated query parameter: " + name);
    seen.push_back(name);
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
    } else {
      return base::fail(base::Errc::invalid, "unknown query parameter: " + name);
    }
  }
  return result;
}

Response list_keys(kv::Store& store, kv::Namespace* space, std::string_view plugin,
                   const ListRequest& request) {
  Keys found;
  if (space != nullptr) found = collect_keys(store, *space, request);

  boost::json::array texts;
  boost::json::array encoded;
  for (const std::string& key : found.keys) {
    if (base::is_valid_utf8(key))
      texts.emplace_back(key);
    else
      encoded.emplace_back(percent_encode(key));
  }
  boost::json::object body{{"plugin", plugin}, {"keys", std::move(texts)}};
  if (!encoded.empty()) body["keys_percent_encoded"] = std::move(encoded);
  if (!found.complete && !found.keys.empty())
    body["next"] = next_page(plugin, request, found.keys.back());
  Response response;
  response.body = boost::json::serialize(body);
  return response;
}

}  // namespace helios::admin
