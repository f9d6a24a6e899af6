// SPDX-License-Identifier: Apache-2.0
#pragma once

// A stretch of a trail, by time.

#include "base/result.hpp"
#include "cli/audit_options.hpp"
#include "kv/stream.hpp"

#include <cstdint>
#include <optional>

namespace helios::cli {

struct TrailSpan {
  std::optional<std::int64_t> since_ms;
  std::optional<std::int64_t> until_ms;  // the first moment behind it

  [[nodiscard]] bool ends_before(const kv::StreamRecord& record) const {
    return until_ms && record.time_ms >= *until_ms;
  }
};

// That of --since and --until. Errors: invalid (one of them is no moment, or the stretch is empty).
[[nodiscard]] base::Result<TrailSpan> span_of(const AuditOptions& options, std::int64_t now_ms);

}  // namespace helios::cli
