// SPDX-License-Identifier: Apache-2.0

#include "net/client_driver.hpp"

#include "net/cancel_sender.hpp"

#include <cassert>
#include <string>
#include <utility>

namespace helios::net {

ClientDriver::ClientDriver(DriverContext& context, SessionId id, Fd client, session::Peer peer)
    : context_(context),
      id_(id),
      own_name_("heliosproxy " + peer.session_id),
      client_(context.engine.adopt(std::move(client), *this, LossReport::at_once)),
      session_(context.environment, std::move(peer), *this,
               [this] { run_event([this] { session_.on_wake(context_.actions); }); }) {
  update_timer();
}

ClientDriver::~ClientDriver() {
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
void ClientDriver::run_event(Event event) {
  if (retired_) {
    return;
  }
  assert(context_.actions.to_client.empty() && context_.actions.to_server.empty());
  session_.set_backlog((client_ ? client_->pending_bytes() : 0) +
                       (link_ ? link_->pending_bytes() : 0));
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
void ClientDriver::settle() {
  is_client_whole_ = context_.actions.to_client.empty();
  perform();
  context_.actions.clear();
  update_receiving();
  update_timer();
}

// What the event has led to could not be carried out, so this session ends; the others go on. Nobody knows what
// the server has got, so its connection is dropped first.
void ClientDriver::on_fault() {
  if (link_) {
    link_->close();
  }
  context_.actions.clear();
  session_.on_fault(is_client_whole_, context_.actions);
  try {
    settle();
  } catch (...) {
    client_.reset();
  }
  context_.actions.clear();
}

void ClientDriver::update_timer() {
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

void ClientDriver::on_received(std::string_view bytes) {
  context_.stats.bytes_from_clients.add(bytes.size());
  run_event([&] { session_.on_client_bytes(bytes, context_.actions); });
}

void ClientDriver::on_eof() {
  run_event([&] { session_.on_client_eof(context_.actions); });
}

void ClientDriver::on_encrypted(const tls::Facts& facts) {
  context_.stats.tls_handshakes.add();
  session::Encryption encryption{.version = std::string(facts.version),
                                 .cipher = std::string(facts.cipher),
                                 .channel_binding = facts.channel_binding};
  if (facts.client) {
    encryption.certificate = {facts.client->common_name, facts.client->distinguished_name};
  }
  run_event([&] { session_.on_client_encrypted(std::move(encryption), context_.actions); });
}

void ClientDriver::on_tls_failed(const std::string& reason) {
  context_.stats.tls_failures.add();
  if (!context_.tls_failure_log) {
    context_.tls_failure_log.emplace(*context_.environment.log);
  }
  context_.tls_failure_log->warn(
      context_.environment.clock->monotonic_ns(),
      "TLS with a client at " + session_.client_ip() + " failed: " + reason);
}

void ClientDriver::on_lost(int) {
  client_.reset();
  run_event([&] { session_.on_client_lost(context_.actions); });
}

void ClientDriver::claim() {
  LinkDriver::Holder& holder = *this;
  link_ = std::make_unique<LinkDriver>(context_, holder, std::move(own_name_));
}

void ClientDriver::on_link_ready() {
  run_event([&] { session_.on_granted(link_->link(), context_.actions); });
}

void ClientDriver::on_link_refused(const std::string& reason) {
  run_event([&] { session_.on_refused(reason, context_.actions); });
}

void ClientDriver::on_link_fault(const std::exception_ptr& fault) {
  run_event([&] { std::rethrow_exception(fault); });
}

void ClientDriver::on_link_received(std::string_view bytes) {
  run_event([&] { session_.on_server_bytes(bytes, context_.actions); });
}

void ClientDriver::on_link_ended() {
  run_event([&] { session_.on_server_eof(context_.actions); });
}

void ClientDriver::cancel(base::Task done) {
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

void ClientDriver::on_cap_cancelled() {
  if (!retired_) {
    run_event([&] { session_.on_cap_cancelled(context_.actions); });
  }
}

void ClientDriver::drain(bool force) {
  if (force && is_delivering_cancel_) {
    on_cancel_delivered();
  }
  run_event([&] { session_.on_drain(force, context_.actions); });
}

bool ClientDriver::on_blocks() {
  bool is_blocked = false;
  run_event([&] { is_blocked = session_.on_blocks(context_.actions); });
  return is_blocked;
}

// ---- actions ----

void ClientDriver::perform() {
  if (context_.actions.register_cancel_key) {
    register_cancel_key();
  }
  if (context_.actions.deliver_cancel) {
    deliver_cancel();
  }
  if (context_.actions.send_cancel) {
    send_cancel();
  }
  if (context_.actions.send_cap_cancel) {
    send_cap_cancel();
  }
  send_to_client();
  if (context_.actions.encrypt_client) {
    encrypt_client();
  }
  is_client_whole_ = true;
  if (link_) {
    link_->send(context_.actions.to_server);
  }
  end_connections();
}

void ClientDriver::register_cancel_key() {
  if (cancel_key_) {
    context_.cancel_registry.remove(*cancel_key_, context_.cancel_sink, id_);
  }
  cancel_key_ = std::move(context_.actions.register_cancel_key);
  context_.cancel_registry.add(*cancel_key_, context_.cancel_sink, id_);
}

void ClientDriver::deliver_cancel() {
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

void ClientDriver::on_cancel_delivered() {
  if (!std::exchange(is_delivering_cancel_, false)) {
    return;
  }
  context_.engine.cancel_timer(cancel_time_limit_);
  if (close_client_after_cancel_ && client_) {
    close_when_flushed(std::move(client_));
  }
  retire_if_finished();
}

void ClientDriver::send_cancel() {
  const auto server = link_ ? link_->server() : std::nullopt;
  if (!cancel_key_ || !server) {
    return;
  }
  auto done = std::exchange(cancel_done_, {});
  if (!done) {
    done = [] {};
  }
  if (context_.actions.close_client) {
    context_.engine.start_timer(
        kSecondCancelMs, [&sender = context_.cancel_sender, to = *server, key = *cancel_key_] {
          sender.send(to, key, [] {});
        });
  }
  if (!context_.cancel_sender.send(*server, *cancel_key_, std::move(done))) {
    context_.environment.log->write(base::LogLevel::warning,
                                    "too many cancel requests at once: one was dropped");
  }
}

// `done` comes back as an event of its own, by the session's number: this driver may be gone by then.
void ClientDriver::send_cap_cancel() {
  auto done = [&context = context_, id = id_] {
    context.environment.home->post([&context, id] { context.on_cap_cancelled(id); });
  };
  const auto server = link_ ? link_->server() : std::nullopt;
  if (!cancel_key_ || !server) {
    done();  // the rest of the answer is dropped until its end
    return;
  }
  if (!context_.cancel_sender.send(*server, *cancel_key_, std::move(done))) {
    context_.environment.log->write(base::LogLevel::warning,
                                    "too many cancel requests at once: one for an answer that was "
                                    "cut was dropped; the server works on to its end");
  }
}

void ClientDriver::send_to_client() {
  const base::Output& output = context_.actions.to_client;
  if (!client_ || output.empty()) {
    return;
  }
  client_->send(output.pieces());
  context_.stats.bytes_to_clients.add(output.bytes());
}

// The session offers it by the configuration that came with this context.
void ClientDriver::encrypt_client() {
  if (!client_) {
    return;
  }
  std::string first_bytes = std::move(*context_.actions.encrypt_client);
  const bool is_direct = !first_bytes.empty();
  TlsStream::Options options{.opening = context_.client_tls->open(),
                             .first_bytes = std::move(first_bytes),
                             .requires_protocol = is_direct};
  client_ = TlsStream::make(context_.engine, context_.tls_work, std::move(options),
                            std::move(client_), *this, *this, LossReport::at_once);
}

void ClientDriver::end_connections() {
  if (link_ && context_.actions.finish_server) {
    link_->finish_sending();
  }
  if (std::exchange(is_given_up_, false) && link_) {
    link_->close();
  }
  if (context_.actions.close_client && client_) {
    if (is_delivering_cancel_) {
      close_client_after_cancel_ = true;
    } else {
      close_when_flushed(std::move(client_));
    }
  }
}

void ClientDriver::update_receiving() {
  const bool client_keeps_up = !client_ || !client_->congested();
  const bool server_keeps_up = !link_ || !link_->is_congested();
  if (client_) {
    if (session_.wants_client_bytes() && client_keeps_up && server_keeps_up) {
      client_->resume_receiving();
    } else {
      client_->pause_receiving();
    }
  }
  if (link_) {
    link_->receive(session_.wants_server_bytes() && client_keeps_up);
  }
}

void ClientDriver::retire_if_finished() {
  if (!retired_ && session_.finished() && !is_delivering_cancel_) {
    retired_ = true;
    context_.retire(id_);
  }
}

}  // namespace helios::net
