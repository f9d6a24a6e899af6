// SPDX-License-Identifier: Apache-2.0
#pragma once

// Conditional requests (RFC 9110, section 13.1): If-Match and If-None-Match. The entity tag of a key
// is the start of the proxy and the version of its entry, in quotes: `"9f3c5a70e1b24d68-42"`. A start
// never uses a version twice, and no two starts share an id, be they on the same directory, on copies
// of one or on none. So an equal tag means that nothing has happened in between, not even a change
// there and back.

#include "admin/message.hpp"
#include "base/result.hpp"
#include "kv/store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace helios::admin {

// The value of one of the two headers: `*`, or a list of entity tags.
class EntityTags {
 public:
  // Errors: invalid. A tag that is none of ours is fine and matches nothing; a weak one (W/"...") is
  // read as a strong one, since entries have no weak form.
  [[nodiscard]] static base::Result<EntityTags> parse(std::string_view header);

  // `tag`: of the entry; empty when there is no such key, which not even `*` matches.
  [[nodiscard]] bool match(std::string_view tag) const;

 private:
  bool any_ = false;
  std::vector<std::string> tags_;  // with their quotes
};

struct Preconditions {
  std::optional<EntityTags> if_match;
  std::optional<EntityTags> if_none_match;

  // There is nothing to check, so the key need not be read.
  [[nodiscard]] bool empty() const { return !if_match && !if_none_match; }
  // Whether a key of that tag (empty: none) may be changed.
  [[nodiscard]] bool hold(std::string_view tag) const;
};

// Errors: invalid, with the name of the header.
[[nodiscard]] base::Result<Preconditions> parse_preconditions(const Request& request);

// Drawn at random once for each start of a proxy.
using StartId = std::uint64_t;

// Empty for kAbsent.
[[nodiscard]] std::string entity_tag(StartId start, kv::Version version);

}  // namespace helios::admin
