// SPDX-License-Identifier: Apache-2.0

#include "app/service_manager.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace helios::app {
namespace {

std::string status_line(std::string_view status) {
  constexpr std::size_t kMaxBytes = 500;
  return "STATUS=" + base::escape_for_log(base::one_line(status), kMaxBytes);
}

}  // namespace

ServiceManager::ServiceManager(ServiceEnvironment environment, const base::Clock& clock,
                               base::Log& log)
    : environment_(std::move(environment)), clock_(clock), log_(log) {
  if (environment_.notify_socket.empty()) return;
  auto opened = net::NotifySocket::open(environment_.notify_socket);
  if (opened) {
    socket_.emplace(*std::move(opened));
  } else {
    log_.write(base::LogLevel::warning, opened.error().message);
  }
}

base::Result<net::PassedSockets> ServiceManager::take_sockets() {
  std::vector<net::PassedSocket> sockets;
  for (auto& each : std::exchange(environment_.descriptors, {})) {
    sockets.push_back({net::Fd(each.number), std::move(each.name), ""});
  }
  return net::PassedSockets::adopt(std::move(sockets));
}

void ServiceManager::starting() { tell(status_line("opening the state, loading the plugins")); }

void ServiceManager::ready(std::string_view status) { tell("READY=1\n" + status_line(status)); }

// The time is what Type=notify-reload knows this reload by.
void ServiceManager::reloading() {
  if (is_stopping_) return;
  constexpr std::int64_t kNsPerUs = 1'000;
  tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(clock_.monotonic_ns() / kNsPerUs) + "\n" +
       status_line("reloading"));
}

void ServiceManager::reloaded(std::string_view status) {
  if (!is_stopping_) ready(status);
}

void ServiceManager::stopping(std::string_view status) {
  is_stopping_ = true;
  tell("STOPPING=1\n" + status_line(status));
}

void ServiceManager::keep_alive(CallAfter call_after) {
  if (!socket_ || environment_.watchdog_us == 0) return;
  call_after_ = std::move(call_after);
  show_life();
}

void ServiceManager::show_life() {
  tell("WATCHDOG=1");
  constexpr std::int64_t kUsPerMs = 1'000;
  const auto interval_ms = std::max<std::int64_t>(environment_.watchdog_us / 2 / kUsPerMs, 1);
  call_after_(interval_ms, [this] { show_life(); });
}

void ServiceManager::tell(const std::string& message) {
  if (!socket_) return;
  if (const auto told = socket_->send(message); !told && !std::exchange(has_warned_, true)) {
    log_.write(base::LogLevel::warning, told.error().message);
  }
}

}  // namespace helios::app
