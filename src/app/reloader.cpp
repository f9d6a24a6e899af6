// SPDX-License-Identifier: Apache-2.0

#include "app/reloader.hpp"

#include <string>
#include <utility>

namespace helios::app {
namespace {

std::string join_lines(const std::vector<std::string>& lines) {
  std::string joined;
  for (const auto& line : lines) {
    joined += (joined.empty() ? "" : "; ") + line;
  }
  return joined;
}

}  // namespace

Reloader::Reloader(ReloadSteps steps, base::Executor& background, base::Executor& control,
                   base::Log& log)
    : steps_(std::move(steps)), background_(background), control_(control), log_(log) {}

void Reloader::request(OnReloaded done) {
  if (running_) {
    done(base::fail(base::Errc::unavailable, "another reload is under way"));
    return;
  }
  start(std::move(done));
}

void Reloader::request_soon() {
  if (running_) {
    again_ = true;
    return;
  }
  start([](const base::Result<void>&) {});
}

void Reloader::start(OnReloaded done) {
  running_ = true;
  done_ = std::move(done);
  background_.post([this] {
    auto loaded = steps_.load();
    control_.post([this, loaded = std::move(loaded)]() mutable {
      const auto snapshot = loaded.snapshot;
      steps_.install(snapshot, [this, loaded = std::move(loaded)] { finish(loaded); });
    });
  });
}

void Reloader::finish(const LoadedSnapshot& loaded) {
  running_ = false;
  log_.write(
      base::LogLevel::info,
      "reloaded: " + std::to_string(loaded.snapshot.chain->plugins().size()) + " plugins in force");
  auto done = std::exchange(done_, {});
  if (loaded.errors.empty()) {
    done({});
  } else {
    done(base::fail(base::Errc::invalid, join_lines(loaded.errors)));
  }
  if (std::exchange(again_, false)) {
    request_soon();
  }
}

}  // namespace helios::app
