// SPDX-License-Identifier: Apache-2.0
//
// What a stream asks of the kernel, at the end of a round: decided from its state alone.

#include "net/engine/uring_buffers.hpp"
#include "net/engine/uring_stream.hpp"

#include <poll.h>
#include <sys/socket.h>

namespace helios::net {

bool UringStream::prepare() {
  if (released_) {
    return cancel_all();
  }
  if (!socket_) {
    return true;
  }
  if (taker_ != nullptr) {
    hand_over_when_idle();
    return cancel_all();
  }
  if (handler_ == nullptr) {
    std::string().swap(kept_);
    delivered_ = 0;
  }
  return prepare_receive() && prepare_send() && prepare_watch();
}

bool UringStream::wants_receive() const { return !ended_ && !broken_ && kept_.empty(); }

bool UringStream::prepare_receive() {
  if (!wants_receive()) {
    return receive_.cancel(core_.ring(), *this);
  }
  return receive_.under_way() || receive_.start(core_.ring(), *this, [this](io_uring_sqe* request) {
    io_uring_prep_recv_multishot(request, socket_.get(), nullptr, 0, 0);
    request->flags |= IOSQE_BUFFER_SELECT;
    request->buf_group = UringBuffers::kGroup;
  });
}

bool UringStream::prepare_send() {
  if (sending() || broken_ || output_.empty()) {
    return true;
  }
  return can_send_at_once() ? prepare_send_at_once() : prepare_ordinary_send();
}

// The kernel is expected to take it, and nobody waits to hear that it did.
bool UringStream::can_send_at_once() const {
  const bool is_awaited = output_.congested() || finishing_;
  return !kernel_is_full_ && !is_awaited && output_.bytes() < kLargeOutputBytes;
}

bool UringStream::prepare_send_at_once() {
  return send_at_once_.start(core_.ring(), *this, [this](io_uring_sqe* request) {
    const auto bytes = output_.front();
    // MSG_WAITALL: taking less than everything is a failure.
    constexpr int kFlags = MSG_NOSIGNAL | MSG_DONTWAIT | MSG_WAITALL;
    io_uring_prep_send(request, socket_.get(), bytes.data(), bytes.size(), kFlags);
    request->flags |= IOSQE_CQE_SKIP_SUCCESS;
    output_.pin();
    core_.expect_at_once(*this);
  });
}

// Completes when the kernel has taken some.
bool UringStream::prepare_ordinary_send() {
  return send_.start(core_.ring(), *this, [this](io_uring_sqe* request) {
    const auto bytes = output_.front();
    io_uring_prep_send(request, socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    output_.pin();
  });
}

// A loss shows in a receive. Where none is under way, only the loss itself is waited for.
bool UringStream::wants_watch() const {
  if (broken_ || hung_up_ || receive_.under_way() || watch_.under_way()) {
    return false;
  }
  return ended_ || (!kept_.empty() && loss_report_ == LossReport::at_once);
}

// Multishot, so that it tells of changes: the peer's end, which the kernel reports whether asked for it
// or not, would complete a single one again and again.
bool UringStream::prepare_watch() {
  return !wants_watch() || watch_.start(core_.ring(), *this, [this](io_uring_sqe* request) {
    io_uring_prep_poll_multishot(request, socket_.get(), POLLERR | POLLHUP);
  });
}

bool UringStream::cancel_all() {
  return receive_.cancel(core_.ring(), *this) && send_.cancel(core_.ring(), *this) &&
         watch_.cancel(core_.ring(), *this);
}

}  // namespace helios::net
