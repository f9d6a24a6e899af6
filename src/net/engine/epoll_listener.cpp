// SPDX-License-Identifier: Apache-2.0

#include "net/engine/epoll_listener.hpp"

#include <cerrno>
#include <utility>

#include <sys/socket.h>

namespace helios::net {
namespace {

// Others get their turn after so many connections.
constexpr int kAcceptBatch = 64;

}  // namespace

EpollListener::EpollListener(EpollCore& core, Fd listening, AcceptHandler& handler)
    : core_(core), socket_(std::move(listening)), handler_(handler) {}

void EpollListener::start() {
  if (!core_.watch(socket_.get(), *this)) {
    rest(errno);
  }
}

void EpollListener::on_events(std::uint32_t) { service(); }

void EpollListener::service() {
  for (int i = 0; i < kAcceptBatch; ++i) {
    if (!socket_ || resting_ || !accept_one()) {
      return;
    }
  }
  core_.enqueue_ready(*this);
}

// Returns whether there may be more.
bool EpollListener::accept_one() {
  Endpoint peer;
  peer.length = sizeof(peer.storage);
  Fd connection(::accept4(socket_.get(), reinterpret_cast<sockaddr*>(&peer.storage), &peer.length,
                          SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (connection) {
    handler_.on_accepted(std::move(connection), peer);
    return true;
  }
  switch (errno) {
    case EAGAIN: return false;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM: rest(errno); return false;
    default:
      // An error of the one connection that was to be accepted (accept(2)).
      return true;
  }
}

// The connections wait in the backlog meanwhile. Trying on would only burn the processor.
void EpollListener::rest(int error) {
  resting_ = true;
  rest_timer_ = core_.start_timer(kAcceptPauseMs, [this] {
    resting_ = false;
    core_.enqueue_ready(*this);
  });
  handler_.on_accept_paused(error);
}

void EpollListener::release() {
  if (!socket_) {
    return;
  }
  core_.cancel_timer(rest_timer_);
  // Closing alone does not end the watch of a socket that another process has too, and it would report to a dead object.
  core_.unwatch(socket_.get());
  socket_.reset();
  core_.bury(*this);
}

}  // namespace helios::net
