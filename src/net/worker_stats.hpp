// SPDX-License-Identifier: Apache-2.0
#pragma once

// What one worker counts. Written by the worker alone, without locks or fences; read by anyone.

#include "blocks/block.hpp"
#include "metrics/counter.hpp"
#include "metrics/histogram.hpp"
#include "session/timings.hpp"

#include <array>

namespace helios::net {

struct WorkerStats {
  metrics::Counter sessions_opened;
  metrics::Counter sessions_closed;  // opened - closed = there now
  metrics::Counter cancel_requests;  // that arrived here, known or not
  metrics::Counter server_connect_failures;
  metrics::Counter tls_handshakes;  // with clients, done
  metrics::Counter tls_failures;    // with clients, of handshakes and of records behind them

  metrics::Counter bytes_from_clients;
  metrics::Counter bytes_to_clients;
  metrics::Counter bytes_from_servers;
  metrics::Counter bytes_to_servers;

  // As the worker's sessions count them: copies, made after each round of the loop.
  metrics::Counter queries;
  metrics::Counter statements;
  metrics::Counter refused;
  metrics::Counter protocol_errors;
  metrics::Counter out_of_memory;
  metrics::Counter session_faults;
  metrics::Counter failed_logins;
  metrics::Counter slowed_logins;
  metrics::Counter refused_logins;
  metrics::Counter bad_proxy_headers;
  std::array<metrics::Counter, blocks::kKinds.size()> blocked;  // by blocks::Kind

  // How the texts of queries were read, from cheapest to dearest.
  metrics::Counter texts_prefiltered;
  metrics::Counter texts_cached;
  metrics::Counter texts_parsed;

  session::Timings timings;  // written by the worker's sessions themselves

  // Seconds of work per round of the event loop: how long a session may have to wait for another.
  metrics::Histogram round_seconds{metrics::duration_bounds()};
};

}  // namespace helios::net
