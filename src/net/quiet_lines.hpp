// SPDX-License-Identifier: Apache-2.0
#pragma once

// Log lines that somebody on the other end of a connection can cause as often as he likes: one a second, and how many were
// left out in between.
//
// Thread rule: one thread.

#include "base/log.hpp"

#include <cstdint>
#include <string>
#include <utility>

namespace helios::net {

class QuietLines {
 public:
  void write(base::Log& log, base::LogLevel level, std::int64_t now_ns, std::string line) {
    if (now_ns < due_ns_) {
      ++left_out_;
      return;
    }
    due_ns_ = now_ns + kIntervalNs;
    if (const auto count = std::exchange(left_out_, 0U); count != 0)
      line += " (and " + std::to_string(count) + " like it before)";
    log.write(level, line);
  }

 private:
  static constexpr std::int64_t kIntervalNs = 1'000'000'000;

  std::int64_t due_ns_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace helios::net
