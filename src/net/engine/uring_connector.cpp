// SPDX-License-Identifier: Apache-2.0

#include "net/engine/uring_connector.hpp"

#include "net/engine/socket_io.hpp"

#include <cerrno>
#include <utility>

#include <poll.h>
#include <sys/socket.h>

namespace helios::net {

void UringConnector::start(const Endpoint& to) {
  socket_ = Fd(::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_) {
    decide(errno);
  } else if (::connect(socket_.get(), to.address(), to.length) == 0) {
    decide(0);
  } else if (errno != EINPROGRESS) {
    decide(errno);
  } else {
    core_.prepare_later(*this);
  }
}

bool UringConnector::prepare() {
  if (state_ != State::waiting) {
    return watch_.cancel(core_.ring(), *this);
  }
  return watch_.under_way() || watch_.start(core_.ring(), *this, [this](io_uring_sqe* request) {
    io_uring_prep_poll_add(request, socket_.get(), POLLOUT);
  });
}

void UringConnector::on_completion(UringUse use, const UringCompletion& completion,
                                   std::string_view) {
  if (use != UringUse::watch) {
    return;
  }
  watch_.note(completion);
  if (state_ == State::waiting) {
    decide(completion.result < 0 ? -completion.result : take_socket_error(socket_.get()));
  }
}

void UringConnector::decide(int error) {
  state_ = State::decided;
  error_ = error;
  core_.enqueue_ready(*this);
}

void UringConnector::service() {
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

void UringConnector::release() {
  if (std::exchange(state_, State::released) != State::released) {
    core_.bury(*this);
  }
}

}  // namespace helios::net
