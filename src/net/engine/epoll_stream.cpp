// SPDX-License-Identifier: Apache-2.0

#include "net/engine/epoll_stream.hpp"

#include "net/engine/socket_io.hpp"

#include <cerrno>
#include <utility>

#include <sys/epoll.h>
#include <sys/socket.h>

namespace helios::net {

EpollStream::EpollStream(EpollCore& core, Fd connection, StreamHandler& handler,
                         LossReport loss_report)
    : core_(core),
      socket_(std::move(connection)),
      handler_(&handler),
      loss_report_(loss_report),
      output_(core.buffer_pool()),
      linger_clock_(core) {}

void EpollStream::start() {
  if (!core_.watch(socket_.get(), *this)) {
    set_broken(errno);
  }
}

void EpollStream::send(std::span<const std::string_view> pieces) {
  if (broken_ || finishing_) {
    return;
  }
  std::size_t taken = 0;
  if (output_.empty()) {
    const auto sent = send_gathered(socket_.get(), {}, pieces);
    if (sent.error != 0) {
      set_broken(sent.error);
      return;
    }
    taken = sent.taken;
  }
  output_.append(pieces, taken);
}

void EpollStream::flush() {
  if (output_.empty()) {
    return;
  }
  const auto sent = send_gathered(socket_.get(), output_.front(), {});
  if (sent.error != 0) {
    set_broken(sent.error);
    return;
  }
  output_.consume(sent.taken);
  if (linger_clock_.running() && sent.taken > 0) {
    restart_linger_clock(kFlushTimeoutMs);
  }
  if (output_.empty()) {
    on_flushed();
  }
  if (output_.take_drained() && handler_ != nullptr) {
    handler_->on_drained();
  }
}

void EpollStream::on_flushed() {
  if (finishing_ && !std::exchange(finished_, true)) {
    ::shutdown(socket_.get(), SHUT_WR);
    if (linger_clock_.running()) {
      restart_linger_clock(kPeerEndTimeoutMs);
    }
  }
}

void EpollStream::finish_sending() {
  finishing_ = true;
  if (output_.empty() && !broken_) {
    on_flushed();
  }
}

void EpollStream::resume_receiving() {
  if (!std::exchange(paused_, false)) {
    return;
  }
  if (readable_ || broken_) {
    core_.enqueue_ready(*this);
  }
}

// Nothing can be sent any more. The receiving side finds out in its turn, after what the peer sent
// before.
void EpollStream::set_broken(int error) {
  broken_ = true;
  error_ = error;
  output_.clear();
  readable_ = true;
  peer_ended_ = true;
  core_.enqueue_ready(*this);
}

void EpollStream::on_events(std::uint32_t events) {
  if (!socket_) {
    return;  // of this round, and from before it was handed over
  }
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
    readable_ = true;
  }
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
    peer_ended_ = true;
  }
  // A hang-up that follows our own half-close is an orderly end.
  if (!broken_ && ((events & EPOLLERR) != 0 || ((events & EPOLLHUP) != 0 && !finished_))) {
    set_broken(0);
  }
  if ((events & EPOLLOUT) != 0 && !broken_) {
    flush();
  }
  service();
}

void EpollStream::service() {
  if (!socket_) {
    return;
  }
  if (taker_ != nullptr) {
    hand_over();
  } else if (linger_clock_.running()) {
    receive_lingering();
  } else if (handler_ == nullptr || eof_reported_) {
    if (broken_ && handler_ != nullptr) {
      report_lost();
    }
  } else if (paused_) {
    if (broken_ && loss_report_ == LossReport::at_once) {
      report_lost();
    }
  } else if (readable_) {
    receive();
  }
}

// One receive per call: a short one has emptied the socket, a full one takes its turn again later.
void EpollStream::receive() {
  const auto buffer = core_.receive_buffer();
  const auto received = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (received > 0) {
    const auto size = static_cast<std::size_t>(received);
    readable_ = size == buffer.size() || peer_ended_;
    if (readable_) {
      core_.enqueue_ready(*this);
    }
    handler_->on_received({buffer.data(), size});
    return;
  }
  const int error = received == 0 ? 0 : errno;
  if (is_temporary(error) && !broken_) {
    readable_ = error == EINTR;
    if (readable_) {
      core_.enqueue_ready(*this);
    }
    return;
  }
  readable_ = false;
  if (received == 0 && error_ == 0) {
    eof_reported_ = true;
    if (broken_) {
      core_.enqueue_ready(*this);
    }
    handler_->on_eof();
    return;
  }
  broken_ = true;
  if (error_ == 0 && !is_temporary(error)) {
    error_ = error;
  }
  report_lost();
}

void EpollStream::report_lost() {
  error_ = reason_of_loss(socket_.get(), error_);
  std::exchange(handler_, nullptr)->on_lost(error_);
}

void EpollStream::detach(DetachHandler& handler) {
  handler_ = nullptr;
  taker_ = &handler;
  core_.enqueue_ready(*this);
}

// What the kernel has not told yet it tells anew whoever watches the descriptor next.
void EpollStream::hand_over() {
  core_.unwatch(socket_.get());
  Detached result;
  result.error = broken_ ? reason_of_loss(socket_.get(), error_) : 0;
  result.unsent = output_.take();
  result.connection = std::move(socket_);
  std::exchange(taker_, nullptr)->on_detached(std::move(result));
}

void EpollStream::linger() {
  handler_ = nullptr;
  // A peer that has ended already, and a broken one, need no time to read.
  if (broken_ || (eof_reported_ && output_.empty())) {
    release();
    return;
  }
  restart_linger_clock(kFlushTimeoutMs);
  finish_sending();
  if (readable_) {
    core_.enqueue_ready(*this);
  }
}

// Waits for the peer's end and throws away what it still sends. Closing at once would make the
// kernel answer unread bytes with a reset, and a reset may overtake the last message.
void EpollStream::receive_lingering() {
  if (broken_ || (finished_ && eof_reported_)) {
    release();
    return;
  }
  if (!finished_ || !readable_) {
    return;
  }
  const auto buffer = core_.receive_buffer();
  const auto received = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (received == 0 || (received < 0 && !is_temporary(errno))) {
    release();
    return;
  }
  readable_ = received > 0;
  if (readable_) {
    core_.enqueue_ready(*this);
  }
}

void EpollStream::restart_linger_clock(std::int64_t delay_ms) {
  linger_clock_.start(delay_ms, [this] { release(); });
}

void EpollStream::release() {
  if (std::exchange(released_, true)) {
    return;
  }
  linger_clock_.stop();
  handler_ = nullptr;
  taker_ = nullptr;
  socket_.reset();
  core_.bury(*this);
}

}  // namespace helios::net
