// SPDX-License-Identifier: Apache-2.0

#include "net/engine/epoll_connector.hpp"

#include <cerrno>
#include <utility>

#include <sys/epoll.h>
#include <sys/socket.h>

namespace helios::net {

void EpollConnector::start(const Endpoint& to) {
  socket_ = Fd(::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_) {
    decide(errno);
  } else if (::connect(socket_.get(), to.address(), to.length) == 0) {
    decide(0);
  } else if (errno != EINPROGRESS) {
    decide(errno);
  } else if (!core_.watch(socket_.get(), *this)) {
    decide(errno);
  }
}

void EpollConnector::decide(int error) {
  state_ = State::decided;
  error_ = error;
  core_.enqueue_ready(*this);
}

void EpollConnector::on_events(std::uint32_t events) {
  if (state_ != State::waiting || (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0) {
    return;
  }
  int error = 0;
  socklen_t length = sizeof(error);
  ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  core_.unwatch(socket_.get());
  decide(error);
}

void EpollConnector::service() {
  if (state_ != State::decided) {
    return;
  }
  state_ = State::reported;
  if (error_ == 0) {
    handler_.on_connected(std::move(socket_));
  } else {
    handler_.on_connect_failed(error_);
  }
}

void EpollConnector::release() {
  if (std::exchange(state_, State::released) == State::released) {
    return;
  }
  socket_.reset();
  core_.bury(*this);
}

}  // namespace helios::net
