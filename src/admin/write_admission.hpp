// SPDX-License-Identifier: Apache-2.0
#pragma once

// What stands between a request that sets a key and the store: whether its namespace is meant, and what the plugin whose
// namespace it is says to the value. A request can say that it means it, by two headers: "Helios-New-Namespace: true" makes a
// namespace, "Helios-Force: true" writes without asking the plugin.

#include "admin/control.hpp"
#include "admin/message.hpp"
#include "admin/tokens.hpp"
#include "base/result.hpp"
#include "kv/store.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace helios::admin {

struct WriteFlags {
  bool is_forced = false;
  bool makes_namespace = false;
};

// Errors: invalid, for a header that says anything but "true".
[[nodiscard]] base::Result<WriteFlags> write_flags(const Request& request);

// 404 for a namespace that is not there, nor meant to be made. It names those of similar names, as far as `grant` covers them:
// a mistyped name is the usual reason.
[[nodiscard]] Response no_such_namespace(kv::Store& store, const Grant& grant,
                                         std::string_view name);

// 403 where nobody but the plugin of the namespace may change it; nullopt: others may. `control`: null: no plugin runs.
[[nodiscard]] std::optional<Response> refuse_append_only(Control* control, std::string_view space);

// 422 for a value that is not written. Requires: the opinion is not `allowed`.
[[nodiscard]] Response write_refused(const WriteOpinion& opinion);

// Up to five of `names` that differ from `name` in a few letters, the nearest first.
[[nodiscard]] std::vector<std::string> near_names(std::vector<std::string> names,
                                                  std::string_view name);

}  // namespace helios::admin
