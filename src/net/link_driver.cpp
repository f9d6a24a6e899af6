// SPDX-License-Identifier: Apache-2.0

#include "net/link_driver.hpp"

#include "net/driver_context.hpp"
#include "net/engine/sockets.hpp"

#include <utility>

namespace helios::net {

LinkDriver::LinkDriver(DriverContext& context, Holder& holder, std::string own_name)
    : context_(context), holder_(holder), target_(context.server), link_(std::move(own_name)) {
  DialHandler& handler = *this;
  dialer_ = std::make_unique<Dialer>(context.engine, target_, handler);
}

void LinkDriver::on_dialled(Fd connection, const Endpoint& to) {
  target_->health->note_up(context_.environment.clock->monotonic_ns(), *context_.environment.log);
  holder_.on_link_dialled(std::move(connection), to);
}

void LinkDriver::adopt(Fd connection, const Endpoint& to) {
  endpoint_ = &to;
  dialer_.reset();
  set_session_options(connection, *endpoint_, context_.environment.config->tcp);
  stream_ = context_.engine.adopt(std::move(connection), *this, LossReport::after_received);
}

void LinkDriver::put_layer(const MakeLayer& make) {
  stream_ = make(std::move(stream_), *this, LossReport::after_received);
}

void LinkDriver::on_dial_failed(const std::string& reason) {
  context_.stats.server_connect_failures.add();
  target_->health->note_down(reason, context_.environment.clock->monotonic_ns(),
                             *context_.environment.log);
  holder_.on_link_refused(reason);
}

void LinkDriver::on_received(std::string_view bytes) {
  context_.stats.bytes_from_servers.add(bytes.size());
  holder_.on_link_received(bytes);
}

void LinkDriver::on_eof() { holder_.on_link_ended(); }

void LinkDriver::on_lost(int) {
  stream_.reset();
  holder_.on_link_ended();
}

void LinkDriver::on_drained() { holder_.on_link_drained(); }

void LinkDriver::send(const base::Output& output) {
  if (!stream_ || output.empty()) {
    return;
  }
  stream_->send(output.pieces());
  context_.stats.bytes_to_servers.add(output.bytes());
}

void LinkDriver::finish_sending() {
  if (stream_) {
    stream_->finish_sending();
  }
}

void LinkDriver::close() {
  dialer_.reset();
  stream_.reset();
}

void LinkDriver::receive(bool is_wanted) {
  if (!stream_) {
    return;
  }
  if (is_wanted) {
    stream_->resume_receiving();
  } else {
    stream_->pause_receiving();
  }
}

}  // namespace helios::net
