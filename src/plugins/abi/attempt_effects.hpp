// SPDX-License-Identifier: Apache-2.0
#pragma once

// What one attempt did beside its reads and writes. It comes into force when the attempt commits, and
// never happened otherwise.

#include "base/log.hpp"
#include "hooks/authentication.hpp"
#include "hooks/statement_execution.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace helios::plugins {

inline constexpr std::size_t kMaxLogLines = 16;
inline constexpr std::size_t kMaxLogBytes = 1024;
inline constexpr std::size_t kMaxMetricCalls = 16;

struct AttemptEffects {
  struct LogLine {
    base::LogLevel level = base::LogLevel::info;
    std::string text;
  };

  // False: nothing below says anything. Whoever changes something sets it.
  bool any = false;
  hooks::Verdict verdict;
  hooks::AuthenticationVerdict authentication;
  std::optional<hooks::Answer> answer;  // being made; the verdict when its last row is complete
  std::uint64_t answer_bytes = 0;
  std::optional<std::size_t> scratch_size;  // nullopt: left as it was
  std::array<char, hooks::kScratchBytes> scratch{};
  bool skips_settled = false;
  std::vector<LogLine> log;
  std::vector<std::pair<std::string, std::uint64_t>> metrics;

  void clear() {
    if (!any) return;
    any = false;
    verdict = {};
    authentication = {};
    answer.reset();
    answer_bytes = 0;
    scratch_size.reset();
    skips_settled = false;
    log.clear();
    metrics.clear();
  }
};

}  // namespace helios::plugins
