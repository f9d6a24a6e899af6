// SPDX-License-Identifier: Apache-2.0
#pragma once

// One page of the keys of a namespace.

#include "admin/kv_operations.hpp"
#include "admin/message.hpp"
#include "base/result.hpp"
#include "kv/store.hpp"

#include <string>
#include <string_view>

namespace helios::admin {

inline constexpr std::uint64_t kDefaultListLimit = 1000;
inline constexpr std::uint64_t kMaxListLimit = 10'000;
// A page also ends when what it lists takes this much, or when the store had to look at so many bytes of
// keys and values: the admin thread has other things to do.
inline constexpr std::uint64_t kMaxListedBytes = 4ULL << 20;
inline constexpr std::uint64_t kMaxScannedBytes = 32ULL << 20;

struct ListRequest {
  std::string prefix;
  std::string after;  // only keys greater than this
  std::uint64_t limit = kDefaultListLimit;
  bool with_values = false;  // entries instead of keys
};

// From the query of the target: prefix, after, limit, values. Errors: invalid.
[[nodiscard]] base::Result<ListRequest> parse_list_request(std::string_view query);

// {"plugin":..,"keys":[..]}, or {"plugin":..,"entries":[..]}, with "next" (path and query of the next page) when there are more.
// `space` may be nullptr: a namespace that does not exist has no keys. A page is not a snapshot: a
// key that comes or goes meanwhile may be on it or not.
[[nodiscard]] Response list_keys(const KvContext& context, kv::Namespace* space,
                                 std::string_view plugin, const ListRequest& request);

}  // namespace helios::admin
