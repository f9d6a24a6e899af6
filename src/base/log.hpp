// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where log lines go. The process installs one real sink; tests install their own.

#include <string_view>

namespace helios::base {

enum class LogLevel { debug, info, warning, error };

// Thread rule: write() may be called from any thread.
class Log {
 public:
  virtual ~Log() = default;

  // One event, one line, without a trailing newline. Text that came from outside must be passed
  // through escape_for_log() by the caller.
  virtual void write(LogLevel level, std::string_view line) = 0;

  // True when a line of this level would be kept: ask before building an expensive one.
  [[nodiscard]] virtual bool enabled(LogLevel level) const = 0;
};

}  // namespace helios::base
