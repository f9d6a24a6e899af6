// SPDX-License-Identifier: Apache-2.0
#pragma once

// Drives one client and its session: hands the session what happens on the client's connection and on its link, and
// performs the actions it wants. It is the session's Upstream: each session gets a link of its own, dialled for it. It knows
// nothing of the protocol.
//
// Back-pressure: a side is received from only while the session wants its bytes and nothing is
// congested that they would lead to. Bytes of the client may lead to both sides (the proxy answers
// some messages itself), bytes of the server only to the client: the server is always read while the
// client keeps up, so the two can never wait for each other.

#include "backend/upstream.hpp"
#include "net/driver_context.hpp"
#include "net/engine/engine.hpp"
#include "net/link_driver.hpp"
#include "net/tls_stream.hpp"
#include "session/session.hpp"

#include <memory>
#include <optional>

namespace helios::net {

// Thread rule: the worker's thread.
class ClientDriver final : private backend::Upstream,
                           private LinkDriver::Holder,
                           private StreamHandler,
                           private TlsHandler {
 public:
  // Requires: session::Peer::session_id is unique.
  ClientDriver(DriverContext& context, SessionId id, Fd client, session::Peer peer);
  ~ClientDriver();
  ClientDriver(const ClientDriver&) = delete;
  ClientDriver& operator=(const ClientDriver&) = delete;

  // A CancelRequest for this session. `done` as in CancelSink::cancel().
  void cancel(base::Task done);

  // The CancelRequest that this session brought has reached its target, or never will.
  void on_cancel_delivered();

  // The server has acted on the cancel request for an answer that was cut, or never will.
  void on_cap_cancelled();

  // See Session::on_drain().
  void drain(bool force);
  // See Session::on_blocks().
  bool on_blocks();

 private:
  // The client's connection.
  void on_received(std::string_view bytes) override;
  void on_eof() override;
  void on_lost(int error) override;
  void on_drained() override { update_receiving(); }

  void on_encrypted(const tls::Facts& facts) override;
  void on_tls_failed(const std::string& reason) override;

  // The link.
  void on_link_ready() override;
  void on_link_refused(const std::string& reason) override;
  void on_link_fault(const std::exception_ptr& fault) override;
  void on_link_received(std::string_view bytes) override;
  void on_link_ended() override;
  void on_link_drained() override { update_receiving(); }

  // What the session wants of its upstream.
  void claim() override;
  void give_up() override { is_given_up_ = true; }

  template <typename Event>
  void run_event(Event event);

  void perform();
  void settle();
  void on_fault();
  void register_cancel_key();
  void deliver_cancel();
  void send_cancel();
  void send_cap_cancel();
  void send_to_client();
  void encrypt_client();
  void end_connections();
  void update_receiving();
  void update_timer();
  void retire_if_finished();

  DriverContext& context_;
  const SessionId id_;
  std::string own_name_;  // of what only the link may name; the link's once there is one
  StreamPtr client_;
  std::unique_ptr<LinkDriver> link_;  // null: none was claimed
  bool is_given_up_ = false;          // at the end of the present event
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
