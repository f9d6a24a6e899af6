// SPDX-License-Identifier: Apache-2.0
#pragma once

// One client session as a state machine: events in, actions out. It knows the protocol and the
// rules of the proxy; it does no I/O, reads no clock of its own, takes no lock and starts no thread.
//
// Flow, for whoever drives it:
//  1 Construct it for an accepted client connection.
//  2 Report each event through the on_* functions and perform the Actions that come back.
//  3 After every event, read from each side only while wants_client_bytes() / wants_server_bytes()
//    say so. Bytes that were read already may be passed in all the same: the session keeps what it
//    cannot use yet.
//  4 Destroy it when finished() says so. Never earlier: a hook may still be running on its behalf.
//
// States:
//   startup        the client's first packet is awaited (SSLRequest and GSSENCRequest are answered)
//   vetting        authenticate hooks look at who the client says it is
//   connecting     a link was claimed; the startup packet is held
//   authenticating both sides talk; bytes pass, the server's parameters are noted, until ReadyForQuery
//   ready          messages pass, statements meet their hooks
//   closing        the ends are on their way; post_query of unfinished statements may still run
//   closed         nothing left to do
//
// An exception in an event (base/faults.hpp) ends the session like any other error, with FATAL 58000. No event
// throws.
//
// Thread rule: one thread. Lifetime: `environment` and `upstream` outlive the session, and so does the link that it was
// granted.

#include "backend/link.hpp"
#include "backend/upstream.hpp"
#include "session/actions.hpp"
#include "session/environment.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace helios::session {

class Session {
 public:
  // `wake` is called, on the home thread and outside of any other call on this session, when work
  // that the session was waiting for is done: the driver then calls on_wake().
  Session(Environment& environment, Peer peer, backend::Upstream& upstream,
          std::function<void()> wake);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void on_client_bytes(std::string_view bytes, Actions& actions);
  // The client closed or half-closed its connection: what it sent before is still served.
  void on_client_eof(Actions& actions);
  // The client connection broke: nothing can be delivered any more.
  void on_client_lost(Actions& actions);

  // What it claimed from its Upstream: a link, whose connection is there, or none. `reason` is one line for the client,
  // e.g. "Connection refused".
  void on_granted(backend::Link& link, Actions& actions);
  void on_refused(std::string_view reason, Actions& actions);
  // Of its link.
  void on_server_bytes(std::string_view bytes, Actions& actions);
  // The server connection ended, in order or broken.
  void on_server_eof(Actions& actions);

  void on_wake(Actions& actions);
  // The time that deadline_ns() named has come (or gone by; early calls do nothing).
  void on_timer(Actions& actions);
  // A CancelRequest with this session's key arrived.
  void on_cancel(Actions& actions);
  // The proxy is shutting down: end as soon as no statement is in flight (FATAL 57P01), or at once
  // when `force` is set.
  void on_drain(bool force, Actions& actions);

  // The shell could not perform the actions of an event, for an exception: the session ends. In its handler.
  // `is_client_whole`: everything that the client was to get until now is on its way, so that it can be told.
  void on_fault(bool is_client_whole, Actions& actions) noexcept;

  // Bytes of earlier actions that the kernel has not taken yet: they count as memory of the session.
  void set_backlog(std::size_t bytes);

  [[nodiscard]] bool wants_client_bytes() const;
  [[nodiscard]] bool wants_server_bytes() const;
  [[nodiscard]] bool finished() const;
  // When on_timer() is to be called, on the environment's monotonic clock; nullopt = never. Changes
  // with events only.
  [[nodiscard]] std::optional<std::int64_t> deadline_ns() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace helios::session
