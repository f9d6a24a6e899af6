// SPDX-License-Identifier: Apache-2.0
#pragma once

// Drives one session: hands it what happens on its two connections and performs the actions it wants.
// This is the only place where actions become I/O. It knows nothing of the protocol.
//
// Back-pressure: a side is received from only while the session wants its bytes and nothing is
// congested that they would lead to. Bytes of the client may lead to both sides (the proxy answers
// some messages itself), bytes of the server only to the client: the server is always read while the
// client keeps up, so the two can never wait for each other.

#include "net/cancel_registry.hpp"
#include "net/dialer.hpp"
#include "net/engine.hpp"
#include "net/worker_stats.hpp"
#include "session/session.hpp"

#include <memory>
#include <optional>

namespace helios::net {

class CancelSender;

// What a driver works with; all of it belongs to the worker and outlives the driver.
struct DriverContext {
  Engine& engine;
  session::Environment& environment;
  const ServerTarget& server;
  CancelRegistry& cancel_registry;
  CancelSink& cancel_sink;  // the worker itself, as others reach it
  CancelSender& cancel_sender;
  WorkerStats& stats;
  // The driver of this session is done: destroy it once no code of it can be running.
  std::function<void(SessionId)> retire;
  // Leads to SessionDriver::on_cancel_delivered() if that session is still there.
  std::function<void(SessionId)> on_cancel_delivered;
  std::int64_t dial_warning_due_ns = 0;  // no further log line about a missing server before
  // Of the event under way, of which there is one at a time; empty between events. Its memory is used
  // again and again.
  session::Actions actions{};
};

// Thread rule: the worker's thread.
class SessionDriver final : public DialHandler {
 public:
  // Requires: session::Peer::session_id is unique.
  SessionDriver(DriverContext& context, SessionId id, Fd client, session::Peer peer);
  ~SessionDriver() override;
  SessionDriver(const SessionDriver&) = delete;
  SessionDriver& operator=(const SessionDriver&) = delete;

  // A CancelRequest for this session. `done` as in CancelSink::cancel().
  void cancel(base::Task done);

  // The CancelRequest that this session brought has reached its target, or never will.
  void on_cancel_delivered();

  // See Session::on_drain().
  void drain(bool force);

 private:
  // The two ends of the session as the engine's handlers.
  class ClientSide final : public StreamHandler {
   public:
    explicit ClientSide(SessionDriver& driver) : driver_(driver) {}
    void on_received(std::string_view bytes) override;
    void on_eof() override;
    void on_lost(int error) override;
    void on_drained() override { driver_.update_receiving(); }

   private:
    SessionDriver& driver_;
  };
  class ServerSide final : public StreamHandler {
   public:
    explicit ServerSide(SessionDriver& driver) : driver_(driver) {}
    void on_received(std::string_view bytes) override;
    void on_eof() override;
    void on_lost(int error) override;
    void on_drained() override { driver_.update_receiving(); }

   private:
    SessionDriver& driver_;
  };

  template <typename Event>
  void run_event(Event event);

  void on_dialled(Fd connection, const Endpoint& to) override;
  void on_dial_failed(const std::string& reason) override;

  void warn_about_server(const std::string& reason);
  void perform();
  void settle();
  void on_fault();
  void register_cancel_key();
  void deliver_cancel();
  void send_cancel();
  void send(const StreamPtr& stream, const base::Output& output, metrics::Counter& counter);
  void end_connections();
  void update_receiving();
  void update_timer();
  void retire_if_finished();

  DriverContext& context_;
  const SessionId id_;
  ClientSide client_side_{*this};
  ServerSide server_side_{*this};
  StreamPtr client_;
  StreamPtr server_;
  std::unique_ptr<Dialer> dialer_;
  std::optional<Endpoint> server_endpoint_;  // where server_ is connected to
  std::optional<pgwire::CancelKey> cancel_key_;
  base::Task cancel_done_;  // of the cancel() under way

  // This client sent a CancelRequest: its connection stays open until the server has acted, because
  // clients wait for that.
  bool is_delivering_cancel_ = false;
  bool close_client_after_cancel_ = false;
  TimerId cancel_time_limit_;
  // For the client's first packet; afterwards the server has a limit of its own.
  TimerId session_timer_;
  std::optional<std::int64_t> timer_deadline_ns_;  // what session_timer_ is set to; nullopt = not

  bool is_client_whole_ = true;  // nothing of the present event is missing there
  bool retired_ = false;
  session::Session session_;
};

}  // namespace helios::net
