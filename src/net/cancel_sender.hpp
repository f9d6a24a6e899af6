// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sends CancelRequests to the server, each over a connection of its own, as the protocol wants it.
// The server says nothing but closes that connection once it has acted: that is waited for, within
// kCancelTimeoutMs, so that a client that waits too can rely on it.

#include "net/dialer.hpp"
#include "pgwire/cancel_request.hpp"

#include <cstdint>
#include <memory>
#include <unordered_map>

namespace helios::net {

inline constexpr std::int64_t kCancelTimeoutMs = 10'000;

// Connections that one worker has open for this purpose at a time.
inline constexpr std::size_t kMaxCancelsInFlight = 64;

// Thread rule: the engine's thread. Lifetime: `engine` outlives it.
class CancelSender {
 public:
  explicit CancelSender(Engine& engine);
  ~CancelSender();
  CancelSender(const CancelSender&) = delete;
  CancelSender& operator=(const CancelSender&) = delete;

  // Sends `key` to the server at `to`. `done` runs when that is over, whatever comes of it. Returns
  // false, having run `done` at once, when kMaxCancelsInFlight are under way.
  bool send(const Endpoint& to, const pgwire::CancelKey& key, base::Task done);

  [[nodiscard]] std::size_t in_flight() const { return runs_.size(); }

 private:
  class Run;

  void finish(std::uint64_t id);

  Engine& engine_;
  std::uint64_t next_id_ = 1;
  std::unordered_map<std::uint64_t, std::unique_ptr<Run>> runs_;
  std::unique_ptr<Run> finished_;  // kept until it is certain that none of its code runs
};

}  // namespace helios::net
