// SPDX-License-Identifier: Apache-2.0
#include "support/capture_log.hpp"

#include <algorithm>

namespace helios::test {

void CaptureLog::write(base::LogLevel level, std::string_view line) {
  const std::scoped_lock lock(mutex_);
  lines_.push_back({level, std::string(line)});
}

std::vector<CaptureLog::Line> CaptureLog::lines() const {
  const std::scoped_lock lock(mutex_);
  return lines_;
}

std::size_t CaptureLog::count(std::string_view part) const {
  const std::scoped_lock lock(mutex_);
  const auto found = std::ranges::count_if(
      lines_, [part](const Line& line) { return line.text.find(part) != std::string::npos; });
  return static_cast<std::size_t>(found);
}

std::size_t CaptureLog::count(base::LogLevel level, std::string_view part) const {
  const std::scoped_lock lock(mutex_);
  const auto found = std::ranges::count_if(lines_, [level, part](const Line& line) {
    return line.level == level && line.text.find(part) != std::string::npos;
  });
  return static_cast<std::size_t>(found);
}

void CaptureLog::clear() {
  const std::scoped_lock lock(mutex_);
  lines_.clear();
}

}  // namespace helios::test
