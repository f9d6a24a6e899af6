// SPDX-License-Identifier: Apache-2.0

#include "app/reloader.hpp"

#include <memory>
#include <string>
#include <utility>

namespace helios::app {
namespace {

std::string join_lines(const std::vector<std::string>& lines) {
  std::string joined;
  for (const auto& line : lines) {
    joined += (joined.empty() ? "" : "\n") + line;
  }
  return joined;
}

}  // namespace

Reloader::Reloader(ReloadSteps steps, base::Executor& background, base::Executor& control,
                   base::Log& log, base::FaultSink& faults)
    : steps_(std::move(steps)),
      background_(background),
      control_(control),
      log_(log),
      faults_(faults) {}

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
  start([](const base::Result<admin::ReloadReport>&) {});
}

void Reloader::start(OnReloaded done) {
  running_ = true;
  done_ = std::move(done);
  if (steps_.on_begin) steps_.on_begin();
  background_.post([this] {
    const bool is_loaded = base::contain(&faults_, base::FaultPlace::reload, [this] {
      auto loaded = steps_.load();
      control_.post([this, loaded = std::move(loaded)]() mutable { install(std::move(loaded)); });
    });
    if (!is_loaded) {
      control_.post([this] { fail(); });
    }
  });
}

void Reloader::install(LoadedSnapshot loaded) {
  const bool is_on_its_way = base::contain(&faults_, base::FaultPlace::reload, [&] {
    const auto shared = std::make_shared<const LoadedSnapshot>(std::move(loaded));
    steps_.install(*shared, [this, shared] { finish(*shared); });
  });
  if (!is_on_its_way) {
    fail();
  }
}

// Otherwise whoever asked would wait for ever, and every later reload be refused.
void Reloader::fail() {
  log_.write(base::LogLevel::error, "reload: an internal fault ended it");
  end("not reloaded: an internal fault, see the log",
      base::fail(base::Errc::unavailable, "an internal fault ended the reload, see the log"));
}

void Reloader::finish(const LoadedSnapshot& loaded) {
  const auto plugins =
      std::to_string(loaded.snapshot.chain->plugins().size()) + " plugins in force";
  if (loaded.is_refused) {
    const auto outcome = "not reloaded: " + plugins + ", as before";
    log_.write(base::LogLevel::error, outcome);
    end(outcome, base::fail(base::Errc::invalid, join_lines(loaded.report.errors)));
  } else {
    const auto outcome = "reloaded: " + plugins;
    log_.write(base::LogLevel::info, outcome);
    end(outcome, loaded.report);
  }
}

void Reloader::end(const std::string& outcome, base::Result<admin::ReloadReport> result) {
  running_ = false;
  if (steps_.on_end) steps_.on_end(outcome);
  auto done = std::exchange(done_, {});
  done(std::move(result));
  if (std::exchange(again_, false)) {
    request_soon();
  }
}

}  // namespace helios::app
