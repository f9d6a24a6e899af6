// SPDX-License-Identifier: Apache-2.0
#pragma once

// Drives one link: reaches the server, hands what happens on the connection to whoever holds the link, and sends. It knows
// nothing of the protocol; the Link does.
//
// What ties it to the worker that dialled it, and what it would take to hand it to another one:
//  - The stream belongs to the worker's engine. Stream::detach() takes the connection out, with what is unread and unsent;
//    a task in the other worker's mailbox brings it there, and Engine::adopt() takes it in.
//  - `context` is the worker's: its engine, counters and configuration. Nothing in it is
//    about this link, so the other worker's takes its place. `holder` is on the worker's thread too.
//  - The Link itself holds no thread, clock or socket, only who has it, and the outputs of the present event. Between two
//    events, and without a user, it is a value: it has to be owned by a pointer to travel, which it is not yet.
//  - The key for cancel requests belongs to the session (CancelRegistry), not to the link.
// So a link can travel when it is quiet and nobody has it. One that answers something has a session on its thread, and
// stays. TLS on the stream (TlsStream) stays too, and with it the link.
//
// Thread rule: the worker's thread. Nothing is reported from inside a call.

#include "backend/link.hpp"
#include "base/output.hpp"
#include "net/cancel_sender.hpp"
#include "net/engine/engine.hpp"
#include "net/server_connector.hpp"
#include "net/worker_stats.hpp"

#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

namespace helios::net {

struct DriverContext;

class LinkDriver final : private ServerHandler, private StreamHandler {
 public:
  // Whoever holds the link. Each call is an event.
  class Holder {
   public:
    // One of the three, once; gone with close(). `reason`: one line, e.g. "Connection refused".
    virtual void on_link_ready() = 0;
    virtual void on_link_refused(const std::string& reason) = 0;
    virtual void on_link_fault(const std::exception_ptr& fault) = 0;
    virtual void on_link_received(std::string_view bytes) = 0;
    // The server has ended the connection, or it broke.
    virtual void on_link_ended() = 0;
    virtual void on_link_drained() = 0;

   protected:
    ~Holder() = default;
  };

  // Begins at once to reach the server. Lifetime: `context` and `holder` outlive it.
  LinkDriver(DriverContext& context, Holder& holder, std::string own_name);
  LinkDriver(const LinkDriver&) = delete;
  LinkDriver& operator=(const LinkDriver&) = delete;

  // Lives as long as this, also when the connection does not.
  [[nodiscard]] backend::Link& link() { return link_; }

  void send(const base::Output& output);
  // Tells the server that nothing more comes.
  void finish_sending();
  // Drops the connection, or the attempt to get one; unsent bytes too. Nothing is reported afterwards.
  void close();

  // More bytes of the server are wanted, or are not.
  void receive(bool is_wanted);
  [[nodiscard]] bool is_congested() const { return stream_ && stream_->congested(); }
  [[nodiscard]] std::size_t pending_bytes() const { return stream_ ? stream_->pending_bytes() : 0; }
  // Where it is, or was, connected to; nullopt: nowhere yet.
  [[nodiscard]] std::optional<ServerAddress> server() const;

 private:
  void on_server_reached(StreamPtr stream, SharedEndpoint to, const tls::Facts* facts) override;
  void on_server_refused(const std::string& reason) override;
  void on_connect_fault(const std::exception_ptr& fault) override;
  void on_received(std::string_view bytes) override;
  void on_eof() override;
  void on_lost(int error) override;
  void on_drained() override;

  DriverContext& context_;
  Holder& holder_;
  const SharedTarget target_;
  SharedEndpoint endpoint_;  // null: it is not there yet
  ServerConnector connector_;
  StreamPtr stream_;  // null: there is none yet, or none any more
  backend::Link link_;
};

}  // namespace helios::net
