// SPDX-License-Identifier: Apache-2.0
#pragma once

// Streams as the admin interface shows them (admin/stream_page.hpp), read back.

#include "base/result.hpp"
#include "cli/state_reader.hpp"
#include "kv/stream.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace helios::cli {

struct AnsweredPage {
  std::string plugin;  // the namespace, whatever spelling was asked for
  kv::StreamPage page;
  kv::RecordNumber next_from = 1;
};

// One page of at most `max_records` of a plugin's stream. Errors: not_found (no such namespace or stream), invalid,
// unavailable.
using ReadPage = std::function<base::Result<AnsweredPage>(
    std::string_view plugin, std::string_view stream, const kv::StreamRange& range)>;

// "/admin/streams/<plugin>/<stream>", percent-encoded; without a stream, the list of them.
[[nodiscard]] std::string stream_target(std::string_view plugin, std::string_view stream);

// One page of at most `max_records`. Errors: as checked(); invalid (the answer is none of these).
[[nodiscard]] base::Result<AnsweredPage> read_page(const AskAdmin& ask, std::string_view plugin,
                                                   std::string_view stream,
                                                   const kv::StreamRange& range);

// Reads pages by requests to `ask`.
[[nodiscard]] ReadPage page_reader(AskAdmin ask);

// How a command gets at state: that of a proxy, or of a state directory that no proxy has open.
struct StateAccess {
  AskAdmin ask;
  ReadPage read_page;  // shows what `ask` would, and may be faster
};

}  // namespace helios::cli
