// SPDX-License-Identifier: Apache-2.0

#include "net/engine/uring_listener.hpp"

#include <cerrno>
#include <utility>

#include <sys/socket.h>

namespace helios::net {

UringListener::UringListener(UringCore& core, Fd listening, AcceptHandler& handler)
    : core_(core), socket_(std::move(listening)), handler_(handler) {}

bool UringListener::prepare() {
  if (released_) {
    return accept_.cancel(core_.ring(), *this);
  }
  return resting_ || accept_.under_way() ||
         accept_.start(core_.ring(), *this, [this](io_uring_sqe* request) {
           io_uring_prep_multishot_accept(request, socket_.get(), nullptr, nullptr,
                                          SOCK_NONBLOCK | SOCK_CLOEXEC);
         });
}

void UringListener::on_completion(UringUse use, const UringCompletion& completion,
                                  std::string_view) {
  if (use != UringUse::accept) {
    return;
  }
  accept_.note(completion);
  if (!accept_.under_way()) {
    core_.prepare_later(*this);
  }
  if (completion.result >= 0) {
    on_accepted(Fd(completion.result));
  } else {
    on_error(-completion.result);
  }
}

void UringListener::on_accepted(Fd connection) {
  if (released_) {
    return;
  }
  Endpoint peer;
  peer.length = sizeof(peer.storage);
  auto* address = reinterpret_cast<sockaddr*>(&peer.storage);
  // The completions share no place for addresses. A connection that was reset already has none.
  if (::getpeername(connection.get(), address, &peer.length) != 0) {
    peer = Endpoint();
  }
  handler_.on_accepted(std::move(connection), peer);
}

void UringListener::on_error(int error) {
  switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM: rest(error); break;
    default:
      // An error of the one connection that was to be accepted (accept(2)).
      break;
  }
}

// The connections wait in the backlog meanwhile. Trying on would only burn the processor.
void UringListener::rest(int error) {
  if (released_ || std::exchange(resting_, true)) {
    return;
  }
  rest_timer_ = core_.start_timer(kAcceptPauseMs, [this] {
    resting_ = false;
    core_.prepare_later(*this);
  });
  handler_.on_accept_paused(error);
}

void UringListener::release() {
  if (std::exchange(released_, true)) {
    return;
  }
  core_.cancel_timer(rest_timer_);
  // The request keeps the socket open until it has completed; nobody shall be let in until then.
  ::shutdown(socket_.get(), SHUT_RDWR);
  core_.bury(*this);
}

}  // namespace helios::net
