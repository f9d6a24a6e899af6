// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the drivers of one worker work with; all of it belongs to the worker and outlives them.

#include "base/quiet_log.hpp"
#include "net/cancel_registry.hpp"
#include "net/dialer.hpp"
#include "net/engine/engine.hpp"
#include "net/worker_stats.hpp"
#include "session/actions.hpp"
#include "session/environment.hpp"
#include "tls/channel.hpp"
#include "tls/server_context.hpp"

#include <cstdint>
#include <functional>
#include <optional>

namespace helios::net {

class CancelSender;

struct DriverContext {
  Engine& engine;
  session::Environment& environment;
  const SharedTarget& server;  // of those who dial from now on
  CancelRegistry& cancel_registry;
  CancelSink& cancel_sink;  // the worker itself, as others reach it
  CancelSender& cancel_sender;
  tls::Work& tls_work;
  WorkerStats& stats;
  // The driver of this session is done: destroy it once no code of it can be running.
  std::function<void(SessionId)> retire;
  // Leads to ClientDriver::on_cancel_delivered() if that session is still there.
  std::function<void(SessionId)> on_cancel_delivered;
  // Leads to ClientDriver::on_cap_cancelled() likewise.
  std::function<void(SessionId)> on_cap_cancelled;
  // Of the event under way, of which there is one at a time; empty between events. Its memory is used
  // again and again.
  session::Actions actions{};
  // Of clients who ask for TLS from now on; null: nobody gets it.
  tls::SharedServerContext client_tls{};
  std::optional<base::QuietLog> tls_failure_log{};  // once there is a failure
};

}  // namespace helios::net
