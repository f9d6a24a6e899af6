// SPDX-License-Identifier: Apache-2.0

#include "net/link_driver.hpp"

#include "net/driver_context.hpp"

#include <utility>

namespace helios::net {

LinkDriver::LinkDriver(DriverContext& context, Holder& holder, std::string own_name)
    : context_(context),
      holder_(holder),
      target_(context.server),
      connector_(context.engine, context.tls_work, target_, nullptr, *this),
      link_(std::move(own_name)) {}

void LinkDriver::on_server_reached(StreamPtr stream, SharedEndpoint to, const tls::Facts* facts) {
  stream_ = std::move(stream);
  stream_->report_to(*this);
  endpoint_ = std::move(to);
  if (facts != nullptr) {
    link_.set_channel_binding(facts->channel_binding);
  }
  target_->health->note_up(context_.environment.clock->monotonic_ns(), *context_.environment.log);
  holder_.on_link_ready();
}

void LinkDriver::on_server_refused(const std::string& reason) {
  context_.stats.server_connect_failures.add();
  target_->health->note_down(reason, context_.environment.clock->monotonic_ns(),
                             *context_.environment.log);
  holder_.on_link_refused(reason);
}

void LinkDriver::on_connect_fault(const std::exception_ptr& fault) { holder_.on_link_fault(fault); }

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

std::optional<ServerAddress> LinkDriver::server() const {
  if (endpoint_ == nullptr) {
    return std::nullopt;
  }
  return ServerAddress{.target = target_, .endpoint = endpoint_};
}

void LinkDriver::finish_sending() {
  if (stream_) {
    stream_->finish_sending();
  }
}

void LinkDriver::close() {
  stream_.reset();
  connector_.close();
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
