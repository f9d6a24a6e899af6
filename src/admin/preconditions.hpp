// SPDX-License-Identifier: Apache-2.0
#pragma once

// Conditional requests (RFC 9110, section 13.1): If-Match and If-None-Match. The entity tag of a key
// is the version of its entry in quotes: `"42"`. Versions are never used twice, so an equal tag means
// that nothing has happened in between, not even a change there and back.

#include "admin/message.hpp"
#include "base/result.hpp"
#include "kv/store.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace helios::admin {

// The value of one of the two headers: `*`, or a list of entity tags.
class EntityTags {
 public:
  // Errors: invalid. A tag that is none of ours is fine and matches nothing; a weak one (W/"42") is
  // read as a strong one, since entries have no weak form.
  [[nodiscard]] static base::Result<EntityTags> parse(std::string_view header);

  // `version`: kAbsent when there is no such key, which not even `*` matches.
  [[nodiscard]] bool match(kv::Version version) const;

 private:
  bool any_ = false;
  std::vector<std::string> tags_;  // with their quotes
};

struct Preconditions {
  std::optional<EntityTags> if_match;
  std::optional<EntityTags> if_none_match;

  // There is nothing to check, so the key need not be read.
  [[nodiscard]] bool empty() const { return !if_match && !if_none_match; }
  // Whether a key of that version may be changed.
  [[nodiscard]] bool hold(kv::Version version) const;
};

// Errors: invalid, with the name of the header.
[[nodiscard]] base::Result<Preconditions> parse_preconditions(const Request& request);

// Requires: `version` is not kAbsent.
[[nodiscard]] std::string entity_tag(kv::Version version);

}  // namespace helios::admin
