// SPDX-License-Identifier: Apache-2.0
#pragma once

// Streams as the admin interface shows them (admin/stream_page.hpp), read back.

#include "base/result.hpp"
#include "cli/state_reader.hpp"
#include "kv/stream.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace helios::cli {

struct AnsweredPage {
  std::string plugin;  // the namespace, whatever spelling was asked for
  kv::StreamPage page;
  kv::RecordNumber next_from = 1;
};

// "/admin/streams/<plugin>/<stream>", percent-encoded; without a stream, the list of them.
[[nodiscard]] std::string stream_target(std::string_view plugin, std::string_view stream);

// One page of at most `max_records`. Errors: as checked(); invalid (the answer is none of these).
[[nodiscard]] base::Result<AnsweredPage> read_page(const AskAdmin& ask, std::string_view plugin,
                                                   std::string_view stream,
                                                   const kv::StreamRange& range);

}  // namespace helios::cli
