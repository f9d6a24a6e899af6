// SPDX-License-Identifier: Apache-2.0

#include "net/epoll_stream.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace helios::net {
namespace {

// One sendmsg takes so many pieces; far fewer are usual.
constexpr std::size_t kMaxPieces = 64;

bool is_temporary(int error) { return error == EAGAIN || error == EINTR; }

int take_socket_error(int fd) {
  int error = 0;
  socklen_t length = sizeof(error);
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  return error;
}

}  // namespace

EpollStream::EpollStream(EpollCore& core, Fd connection, StreamHandler& handler,
                         LossReport loss_report)
    : core_(core), socket_(std::move(connection)), handler_(&handler), loss_report_(loss_report) {}

void EpollStream::start() {
  if (!core_.watch(socket_.get(), *this)) {
    set_broken(errno);
  }
}

void EpollStream::send(std::span<const std::string_view> pieces) {
  if (broken_ || finishing_) {
    return;
  }
  std::size_t taken = pending_.empty() ? send_now(pieces) : 0;
  if (broken_) {
    return;
  }
  drop_sent_prefix();
  for (const auto& piece : pieces) {
    const auto skipped = std::min(taken, piece.size());
    pending_.append(piece.substr(skipped));
    taken -= skipped;
  }
  congested_ = congested_ || pending_bytes() > kHighWaterBytes;
}

// A stream that is always a little behind never empties its buffer: without this it would only grow.
void EpollStream::drop_sent_prefix() {
  if (sent_ >= kLowWaterBytes && sent_ >= pending_bytes()) {
    pending_.erase(0, sent_);
    sent_ = 0;
  }
}

// Offers the pieces to the kernel. Returns the bytes that it took.
std::size_t EpollStream::send_now(std::span<const std::string_view> pieces) {
  std::size_t total = 0;
  while (!pieces.empty()) {
    const auto batch = pieces.first(std::min(pieces.size(), kMaxPieces));
    const bool whole = send_batch(batch, 0, total);
    if (!whole) {
      break;
    }
    pieces = pieces.subspan(batch.size());
  }
  return total;
}

// Returns whether the kernel took everything but the first `skip` bytes; adds to `taken` what it took.
bool EpollStream::send_batch(std::span<const std::string_view> pieces, std::size_t skip,
                             std::size_t& taken) {
  std::array<iovec, kMaxPieces> vectors;
  std::size_t count = 0;
  std::size_t wanted = 0;
  for (const auto& whole : pieces) {
    const auto piece = whole.substr(std::min(skip, whole.size()));
    skip -= whole.size() - piece.size();
    if (!piece.empty()) {
      vectors[count++] = {const_cast<char*>(piece.data()), piece.size()};
      wanted += piece.size();
    }
  }
  if (count == 0) {
    return true;
  }
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = count;
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) {
    if (!is_temporary(errno)) {
      set_broken(errno);
    }
    return false;
  }
  taken += static_cast<std::size_t>(sent);
  return static_cast<std::size_t>(sent) == wanted;
}

void EpollStream::flush() {
  if (pending_.empty()) {
    return;
  }
  const std::string_view pending(pending_);
  const auto before = sent_;
  send_batch({&pending, 1}, before, sent_);
  if (broken_) {
    return;
  }
  if (lingering_ && sent_ > before) {
    restart_linger_timer(kFlushTimeoutMs);
  }
  if (sent_ == pending_.size()) {
    std::string().swap(pending_);
    sent_ = 0;
    on_flushed();
  }
  if (congested_ && pending_bytes() <= kLowWaterBytes) {
    congested_ = false;
    if (handler_ != nullptr) {
      handler_->on_drained();
    }
  }
}

void EpollStream::on_flushed() {
  if (finishing_ && !std::exchange(finished_, true)) {
    ::shutdown(socket_.get(), SHUT_WR);
    if (lingering_) {
      restart_linger_timer(kPeerEndTimeoutMs);
    }
  }
}

void EpollStream::finish_sending() {
  finishing_ = true;
  if (pending_.empty() && !broken_) {
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
  std::string().swap(pending_);
  sent_ = 0;
  congested_ = false;
  readable_ = true;
  peer_ended_ = true;
  core_.enqueue_ready(*this);
}

void EpollStream::on_events(std::uint32_t events) {
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
  if (lingering_) {
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
  if (error_ == 0) {
    error_ = take_socket_error(socket_.get());
  }
  if (error_ == 0) {
    error_ = ECONNRESET;
  }
  std::exchange(handler_, nullptr)->on_lost(error_);
}

void EpollStream::linger() {
  handler_ = nullptr;
  // A peer that has ended already, and a broken one, need no time to read.
  if (broken_ || (eof_reported_ && pending_.empty())) {
    release();
    return;
  }
  lingering_ = true;
  core_.count_lingering(1);
  restart_linger_timer(kFlushTimeoutMs);
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

void EpollStream::restart_linger_timer(std::int64_t delay_ms) {
  core_.cancel_timer(linger_timer_);
  linger_timer_ = core_.start_timer(delay_ms, [this] { release(); });
}

void EpollStream::release() {
  if (!socket_) {
    return;
  }
  if (lingering_) {
    core_.cancel_timer(linger_timer_);
    core_.count_lingering(-1);
  }
  handler_ = nullptr;
  socket_.reset();
  core_.bury(*this);
}

}  // namespace helios::net
