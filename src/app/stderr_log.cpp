// SPDX-License-Identifier: Apache-2.0

#include "app/stderr_log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <memory>

namespace helios::app {
namespace {

spdlog::level::level_enum to_spdlog(base::LogLevel level) {
  switch (level) {
    case base::LogLevel::debug: return spdlog::level::debug;
    case base::LogLevel::info: return spdlog::level::info;
    case base::LogLevel::warning: return spdlog::level::warn;
    case base::LogLevel::error: return spdlog::level::err;
  }
  return spdlog::level::err;
}

base::LogLevel to_base(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::debug: return base::LogLevel::debug;
    case config::LogLevel::info: return base::LogLevel::info;
    case config::LogLevel::warning: return base::LogLevel::warning;
    case config::LogLevel::error: return base::LogLevel::error;
  }
  return base::LogLevel::error;
}

}  // namespace

class StderrLog::Impl {
 public:
  explicit Impl(config::LogLevel level)
      : logger_("heliosproxy", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger_.set_pattern("%Y-%m-%d %H:%M:%S.%e %l %v");
    logger_.set_level(to_spdlog(to_base(level)));
    logger_.flush_on(spdlog::level::debug);
  }

  spdlog::logger logger_;
};

StderrLog::StderrLog(config::LogLevel level) : impl_(std::make_unique<Impl>(level)) {}

StderrLog::~StderrLog() = default;

void StderrLog::set_level(config::LogLevel level) {
  impl_->logger_.set_level(to_spdlog(to_base(level)));
}

void StderrLog::write(base::LogLevel level, std::string_view line) {
  impl_->logger_.log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

bool StderrLog::enabled(base::LogLevel level) const {
  return impl_->logger_.should_log(to_spdlog(level));
}

}  // namespace helios::app
