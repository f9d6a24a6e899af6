// SPDX-License-Identifier: Apache-2.0
#pragma once

// A log that keeps its lines for the test to look at.

#include "base/log.hpp"

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace helios::test {

// Thread rule: everything may be called from any thread.
class CaptureLog final : public base::Log {
 public:
  struct Line {
    base::LogLevel level;
    std::string text;
  };

  void write(base::LogLevel level, std::string_view line) override;
  [[nodiscard]] bool enabled(base::LogLevel) const override { return true; }

  [[nodiscard]] std::vector<Line> lines() const;

  // How many lines contain `part`, of any level or of `level` alone.
  [[nodiscard]] std::size_t count(std::string_view part) const;
  [[nodiscard]] std::size_t count(base::LogLevel level, std::string_view part) const;

  void clear();

 private:
  mutable std::mutex mutex_;
  std::vector<Line> lines_;
};

}  // namespace helios::test
