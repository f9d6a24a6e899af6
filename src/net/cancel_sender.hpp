// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sends CancelRequests to the server, each over a connection of its own, as the protocol wants it; encrypted as [server]
// sslmode has it for sessions, since whoever reads the key on the way could use it.
// The server says nothing but closes that connection once it has acted: that is waited for, within
// kCancelTimeoutMs, so that a client that waits too can rely on it.

#include "net/dialer.hpp"
#include "pgwire/cancel_request.hpp"
#include "tls/channel.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>

namespace helios::net {

inline constexpr std::int64_t kCancelTimeoutMs = 10'000;

// A server that has not begun with a statement yet when it is asked to cancel it, runs it all the same. Where the session
// has ended nobody is there to ask once more, so it is asked a second time, so long afterwards. Asking a server process
// that has gone meanwhile does nothing.
inline constexpr std::int64_t kSecondCancelMs = 300;

// Connections that one worker has open for this purpose at a time; and how many requests wait for one of them, as when an
// operator ends everything that some user runs.
inline constexpr std::size_t kMaxCancelsInFlight = 64;
inline constexpr std::size_t kMaxCancelsWaiting = 10'000;

// One server of a target, and how it is spoken to.
struct ServerAddress {
  SharedTarget target;
  SharedEndpoint endpoint;
};

// Thread rule: the engine's thread. Lifetime: `engine` and `work` outlive it.
class CancelSender {
 public:
  CancelSender(Engine& engine, tls::Work& work);
  ~CancelSender();
  CancelSender(const CancelSender&) = delete;
  CancelSender& operator=(const CancelSender&) = delete;

  // Sends `key` to the server at `to`, as soon as there is a connection for it. `done` runs when that is over, whatever
  // comes of it. Returns false, having run `done` at once, when kMaxCancelsWaiting wait already.
  bool send(const ServerAddress& to, const pgwire::CancelKey& key, base::Task done);

  // Those that wait as well.
  [[nodiscard]] std::size_t in_flight() const { return runs_.size() + waiting_.size(); }

 private:
  class Run;
  struct Waiting {
    ServerAddress to;
    pgwire::CancelKey key;
    base::Task done;
  };

  void start(const ServerAddress& to, const pgwire::CancelKey& key, base::Task done);
  void finish(std::uint64_t id);

  Engine& engine_;
  tls::Work& work_;
  std::uint64_t next_id_ = 1;
  std::unordered_map<std::uint64_t, std::unique_ptr<Run>> runs_;
  std::deque<Waiting>
      waiting_;  // first come, first served; only while kMaxCancelsInFlight are under way
  std::unique_ptr<Run> finished_;  // kept until it is certain that none of its code runs
};

}  // namespace helios::net
