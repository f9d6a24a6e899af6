// SPDX-License-Identifier: Apache-2.0
#pragma once

// Warnings that a stranger can cause as often as he likes: one in ten seconds is written, and the
// next one says how many were left out.

#include "base/log.hpp"

#include <cstdint>
#include <limits>
#include <string>

namespace helios::base {

// Thread rule: one thread.
class QuietLog {
 public:
  static constexpr std::int64_t kIntervalNs = 10'000'000'000;

  // `log` outlives this.
  explicit QuietLog(Log& log) : log_(log) {}

  // `now_ns` is monotonic. `line` is escaped as every log line.
  void warn(std::int64_t now_ns, const std::string& line) {
    if (now_ns < quiet_until_ns_) {
      ++left_out_;
      return;
    }
    const std::string more =
        left_out_ == 0 ? "" : " (and " + std::to_string(left_out_) + " more since the last line)";
    log_.write(LogLevel::warning, line + more);
    left_out_ = 0;
    quiet_until_ns_ = now_ns + kIntervalNs;
  }

 private:
  Log& log_;
  std::int64_t quiet_until_ns_ = std::numeric_limits<std::int64_t>::min();
  std::uint64_t left_out_ = 0;
};

}  // namespace helios::base
