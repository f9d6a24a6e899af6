// SPDX-License-Identifier: Apache-2.0
#pragma once

// The process as a service: what the service manager (systemd) is told of it, and the sockets that it passes. Without one,
// every call does nothing.
//
//   starting()                    STATUS=
//   ready()                       READY=1
//   reloading(), reloaded()       RELOADING=1 with the time, READY=1 again, whatever the reload has come to
//   stopping()                    STOPPING=1; nothing else is told from then on but that the process lives
//   keep_alive()                  WATCHDOG=1 at half of the time that the service manager waits
//
// That it cannot be told is one warning in the log, and stops nothing.
// Thread rule: the control thread.

#include "app/service_environment.hpp"
#include "base/clock.hpp"
#include "base/executor.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "net/notify_socket.hpp"
#include "net/passed_sockets.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace helios::app {

class ServiceManager {
 public:
  using CallAfter = std::function<void(std::int64_t delay_ms, base::Task task)>;

  // Owns the descriptors of `environment` from now on. Lifetime: `clock` and `log` outlive it.
  ServiceManager(ServiceEnvironment environment, const base::Clock& clock, base::Log& log);

  [[nodiscard]] bool passes_sockets() const { return !environment_.descriptors.empty(); }

  // The sockets that were passed; none the second time. Errors: as PassedSockets::adopt().
  [[nodiscard]] base::Result<net::PassedSockets> take_sockets();

  // `status` is for people: one line, which `systemctl status` shows.
  void starting();
  void ready(std::string_view status);
  void reloading();
  void reloaded(std::string_view status);
  void stopping(std::string_view status);

  // Regularly from now on. `call_after` runs a task on the control thread later: a loop that does not come round any more
  // says nothing. Lifetime: this outlives the tasks. Requires: called at most once.
  void keep_alive(CallAfter call_after);

 private:
  void show_life();
  void tell(const std::string& message);

  ServiceEnvironment environment_;
  const base::Clock& clock_;
  base::Log& log_;
  std::optional<net::NotifySocket> socket_;
  CallAfter call_after_;
  bool is_stopping_ = false;
  bool has_warned_ = false;
};

}  // namespace helios::app
