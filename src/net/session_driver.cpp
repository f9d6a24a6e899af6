// SPDX-License-Identifier: Apache-2.0

#include "net/session_driver.hpp"

#include "net/cancel_sender.hpp"
#include "net/sockets.hpp"

#include <cassert>
#include <string>
#include <utility>

namespace helios::net {
namespace {

constexpr std::int64_t kDialWarningIntervalNs = 1'000'000'000;

}  // namespace

SessionDriver::SessionDriver(DriverContext& context, SessionId id, Fd client, session::Peer peer)
    : context_(context),
      id_(id),
      client_(context.engine.adopt(std::move(client), client_side_, LossReport::at_once)),
      session_(context.environment, std::move(peer),
               [this] { run_event([this] { session_.on_wake(context_.actions); }); }) {
  update_timer();
}

SessionDriver::~SessionDriver() {
  context_.engine.cancel_timer(cancel_time_limit_);
  context_.engine.cancel_timer(session_timer_);
  if (cancel_key_) {
    context_.cancel_registry.remove(*cancel_key_, context_.cancel_sink, id_);
  }
}

// ---- events ----

// Every event ends in the same way. Nothing that is performed here reports back at once (see
// Engine), so one round is enough.
template <typename Event>
void SessionDriver::run_event(Event event) {
  if (retired_) {
    return;
  }
  assert(context_.actions.to_client.empty() && context_.actions.to_server.empty());
  session_.set_backlog((client_ ? client_->pending_bytes() : 0) +
                       (server_ ? server_->pending_bytes() : 0));
  is_client_whole_ = true;
  try {
    event();
    settle();
  } catch (...) {
    on_fault();
  }
  retire_if_finished();
}

// Carries out what the event has led to.
void SessionDriver::settle() {
  is_client_whole_ = context_.actions.to_client.empty();
  perform();
  context_.actions.clear();
  update_receiving();
  update_timer();
}

// What the event has led to could not be carried out, so this session ends; the others go on. Nobody knows what
// the server has got, so its connection is dropped first.
void SessionDriver::on_fault() {
  dialer_.reset();
  server_.reset();
  context_.actions.clear();
  session_.on_fault(is_client_whole_, context_.actions);
  try {
    settle();
  } catch (...) {
    client_.reset();
  }
  context_.actions.clear();
}

void SessionDriver::update_timer() {
  const auto deadline_ns = session_.deadline_ns();
  if (deadline_ns == timer_deadline_ns_) {
    return;
  }
  context_.engine.cancel_timer(session_timer_);
  timer_deadline_ns_ = deadline_ns;
  if (!deadline_ns) {
    return;
  }
  const auto left_ns = *deadline_ns - context_.environment.clock->monotonic_ns();
  session_timer_ = context_.engine.start_timer(left_ns / 1'000'000 + 1, [this] {
    timer_deadline_ns_.reset();
    run_event([this] { session_.on_timer(context_.actions); });
  });
}

void SessionDriver::ClientSide::on_received(std::string_view bytes) {
  driver_.context_.stats.bytes_from_clients.add(bytes.size());
  driver_.run_event([&] { driver_.session_.on_client_bytes(bytes, driver_.context_.actions); });
}

void SessionDriver::ClientSide::on_eof() {
  driver_.run_event([&] { driver_.session_.on_client_eof(driver_.context_.actions); });
}

void SessionDriver::ClientSide::on_lost(int) {
  driver_.client_.reset();
  driver_.run_event([&] { driver_.session_.on_client_lost(driver_.context_.actions); });
}

void SessionDriver::ServerSide::on_received(std::string_view bytes) {
  driver_.context_.stats.bytes_from_servers.add(bytes.size());
  driver_.run_event([&] { driver_.session_.on_server_bytes(bytes, driver_.context_.actions); });
}

void SessionDriver::ServerSide::on_eof() {
  driver_.run_event([&] { driver_.session_.on_server_eof(driver_.context_.actions); });
}

void SessionDriver::ServerSide::on_lost(int) {
  driver_.server_.reset();
  driver_.run_event([&] { driver_.session_.on_server_eof(driver_.context_.actions); });
}

void SessionDriver::on_dialled(Fd connection, const Endpoint& to) {
  run_event([&] {
    server_endpoint_ = to;
    dialer_.reset();  // `to` is its
    set_session_options(connection, *server_endpoint_, context_.environment.config->tcp);
    server_ =
        context_.engine.adopt(std::move(connection), server_side_, LossReport::after_received);
    session_.on_server_connected(context_.actions);
  });
}

void SessionDriver::on_dial_failed(const std::string& reason) {
  context_.stats.server_connect_failures.add();
  run_event([&] {
    dialer_.reset();
    warn_about_server(reason);
    session_.on_server_failed(reason, context_.actions);
  });
}

// Many clients may find out at once, and again and again.
void SessionDriver::warn_about_server(const std::string& reason) {
  const auto now_ns = context_.environment.clock->monotonic_ns();
  if (now_ns < context_.dial_warning_due_ns) {
    return;
  }
  context_.dial_warning_due_ns = now_ns + kDialWarningIntervalNs;
  context_.environment.log->write(
      base::LogLevel::warning,
      "cannot connect to the server at " + context_.server.endpoints.back().text() + ": " + reason);
}

void SessionDriver::cancel(base::Task done) {
  if (retired_ || cancel_done_) {
    done();  // one cancel at a time is as good as two
    return;
  }
  cancel_done_ = std::move(done);
  run_event([&] { session_.on_cancel(context_.actions); });
  if (cancel_done_) {
    std::exchange(cancel_done_, {})();
  }
}

void SessionDriver::drain(bool force) {
  if (force && is_delivering_cancel_) {
    on_cancel_delivered();
  }
  run_event([&] { session_.on_drain(force, context_.actions); });
}

// ---- actions ----

void SessionDriver::perform() {
  if (context_.actions.connect_server) {
    dialer_ = std::make_unique<Dialer>(context_.engine, context_.server, *this);
  }
  if (context_.actions.register_cancel_key) {
    register_cancel_key();
  }
  if (context_.actions.deliver_cancel) {
    deliver_cancel();
  }
  if (context_.actions.send_cancel) {
    send_cancel();
  }
  send(client_, context_.actions.to_client, context_.stats.bytes_to_clients);
  is_client_whole_ = true;
  send(server_, context_.actions.to_server, context_.stats.bytes_to_servers);
  end_connections();
}

void SessionDriver::register_cancel_key() {
  if (cancel_key_) {
    context_.cancel_registry.remove(*cancel_key_, context_.cancel_sink, id_);
  }
  cancel_key_ = std::move(context_.actions.register_cancel_key);
  context_.cancel_registry.add(*cancel_key_, context_.cancel_sink, id_);
}

void SessionDriver::deliver_cancel() {
  context_.stats.cancel_requests.add();
  // Comes back by the session's number: this driver may be gone by then.
  auto done = [&context = context_, id = id_] {
    context.environment.home->post([&context, id] { context.on_cancel_delivered(id); });
  };
  is_delivering_cancel_ =
      context_.cancel_registry.deliver(*context_.actions.deliver_cancel, std::move(done));
  if (is_delivering_cancel_) {
    cancel_time_limit_ =
        context_.engine.start_timer(kCancelTimeoutMs, [this] { on_cancel_delivered(); });
  }
}

void SessionDriver::on_cancel_delivered() {
  if (!std::exchange(is_delivering_cancel_, false)) {
    return;
  }
  context_.engine.cancel_timer(cancel_time_limit_);
  if (close_client_after_cancel_ && client_) {
    close_when_flushed(std::move(client_));
  }
  retire_if_finished();
}

void SessionDriver::send_cancel() {
  if (!cancel_key_ || !server_endpoint_) {
    return;
  }
  auto done = std::exchange(cancel_done_, {});
  if (!done) {
    done = [] {};
  }
  if (!context_.cancel_sender.send(*server_endpoint_, *cancel_key_, std::move(done))) {
    context_.environment.log->write(base::LogLevel::warning,
                                    "too many cancel requests at once: one was dropped");
  }
}

void SessionDriver::send(const StreamPtr& stream, const base::Output& output,
                         metrics::Counter& counter) {
  if (!stream || output.empty()) {
    return;
  }
  stream->send(output.pieces());
  std::size_t bytes = 0;
  for (const auto piece : output.pieces()) {
    bytes += piece.size();
  }
  counter.add(bytes);
}

void SessionDriver::end_connections() {
  if (context_.actions.finish_server && server_) {
    server_->finish_sending();
  }
  if (context_.actions.close_server) {
    dialer_.reset();
    server_.reset();
  }
  if (context_.actions.close_client && client_) {
    if (is_delivering_cancel_) {
      close_client_after_cancel_ = true;
    } else {
      close_when_flushed(std::move(client_));
    }
  }
}

void SessionDriver::update_receiving() {
  const bool client_keeps_up = !client_ || !client_->congested();
  const bool server_keeps_up = !server_ || !server_->congested();
  if (client_) {
    if (session_.wants_client_bytes() && client_keeps_up && server_keeps_up) {
      client_->resume_receiving();
    } else {
      client_->pause_receiving();
    }
  }
  if (server_) {
    if (session_.wants_server_bytes() && client_keeps_up) {
      server_->resume_receiving();
    } else {
      server_->pause_receiving();
    }
  }
}

void SessionDriver::retire_if_finished() {
  if (!retired_ && session_.finished() && !is_delivering_cancel_) {
    retired_ = true;
    context_.retire(id_);
  }
}

}  // namespace helios::net
