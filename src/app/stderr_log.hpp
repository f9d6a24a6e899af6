// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/log.hpp"
#include "config/config.hpp"

#include <memory>

namespace helios::app {

// The log of the process: one line on standard error per event, with time and level.
// Thread rule: any thread.
class StderrLog final : public base::Log {
 public:
  explicit StderrLog(config::LogLevel level);
  ~StderrLog() override;

  // Lines below `level` are dropped from now on.
  void set_level(config::LogLevel level);

  void write(base::LogLevel level, std::string_view line) override;
  [[nodiscard]] bool enabled(base::LogLevel level) const override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace helios::app
