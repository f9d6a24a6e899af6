// SPDX-License-Identifier: Apache-2.0
#pragma once

// Entries of the store as the admin interface lists them, and as `heliosproxy kv export` writes them.

#include "admin/message.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>

namespace helios::cli {

// Sends a request to an admin interface, or to what stands for one, and waits for the answer.
using AskAdmin = std::function<base::Result<admin::Response>(const admin::Request&)>;

struct Entry {
  std::string plugin;
  std::string key;
  std::string value;
  std::int64_t version = 0;        // 0: not known
  std::int64_t expires_at_ms = 0;  // 0: never
};

// An error ends the reading, which then fails with it.
using OnEntry = std::function<base::Result<void>(Entry)>;

// The answer, where its status is 2xx; otherwise an error with its text: not_found for 404, invalid for others.
[[nodiscard]] base::Result<admin::Response> checked(base::Result<admin::Response> response);

// "/admin/kv/<plugin>/<key>", percent-encoded.
[[nodiscard]] std::string target_of(std::string_view plugin, std::string_view key);

// Calls `on_entry` with every entry whose key begins with `prefix`, in key order, page after page.
[[nodiscard]] base::Result<void> read_entries(const AskAdmin& ask, const std::string& plugin,
                                              std::string_view prefix, const OnEntry& on_entry);

// Calls `on_entry` with every line of an export. Errors begin with the line's number.
[[nodiscard]] base::Result<void> read_export(std::istream& in, const OnEntry& on_entry);

// One line of an export, without its line break.
[[nodiscard]] std::string export_line(const Entry& entry);

}  // namespace helios::cli
