// SPDX-License-Identifier: Apache-2.0

#include "net/engine/uring_stream.hpp"

#include "net/engine/socket_io.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <poll.h>
#include <sys/socket.h>

namespace helios::net {
namespace {

// What is read in one go of a connection that is broken.
constexpr std::size_t kRestBytes = 16 * 1024;

std::size_t total_size(std::span<const std::string_view> pieces) {
  std::size_t total = 0;
  for (const auto& piece : pieces) {
    total += piece.size();
  }
  return total;
}

}  // namespace

UringStream::UringStream(UringCore& core, Fd connection, StreamHandler& handler,
                         LossReport loss_report)
    : core_(core),
      socket_(std::move(connection)),
      handler_(&handler),
      loss_report_(loss_report),
      output_(core.buffer_pool()),
      linger_clock_(core) {}

// ---- what comes back ----

void UringStream::on_completion(UringUse use, const UringCompletion& completion,
                                std::string_view received) {
  switch (use) {
    case UringUse::receive:
      receive_.note(completion);
      if (!released_) {
        on_receive(completion, received);
      }
      break;
    case UringUse::send_at_once:
    case UringUse::send:
      (use == UringUse::send ? send_ : send_at_once_).note(completion);
      output_.unpin();
      if (!released_) {
        on_sent(completion.result);
      }
      break;
    case UringUse::watch:
      watch_.note(completion);
      if (!released_) {
        on_watch(completion.result);
      }
      break;
    case UringUse::accept:
    case UringUse::cancel: break;
  }
  hand_over_when_idle();
}

void UringStream::hand_over_when_idle() {
  if (taker_ != nullptr && is_idle()) {
    core_.enqueue_ready(*this);
  }
}

void UringStream::on_receive(const UringCompletion& completion, std::string_view received) {
  if (!receive_.under_way()) {
    core_.prepare_later(*this);
  }
  if (!received.empty()) {
    on_bytes(received);
    return;
  }
  switch (-completion.result) {
    case 0: on_end(); break;
    // No buffer was free; cancelled by this stream; and what merely has to be tried again.
    case ENOBUFS:
    case ECANCELED:
    case EAGAIN:
    case EINTR: break;
    default: set_broken(-completion.result); break;
  }
  if (broken_ && !receive_.under_way()) {
    core_.enqueue_ready(*this);
  }
}

void UringStream::on_bytes(std::string_view bytes) {
  if (handler_ == nullptr && taker_ == nullptr) {
    return;
  }
  if (taker_ == nullptr && !paused_ && kept_.empty()) {
    handler_->on_received(bytes);
    return;
  }
  kept_.append(bytes);
  core_.prepare_later(*this);
}

void UringStream::on_end() {
  ended_ = true;
  core_.enqueue_ready(*this);
}

void UringStream::on_sent_at_once() {
  send_at_once_.note_end();
  output_.unpin();
  hand_over_when_idle();
  if (broken_) {
    return;
  }
  consume(output_.front().size());
  if (released_ || finishing_) {
    send_now({});
    finish_if_flushed();
  } else if (!output_.empty()) {
    core_.prepare_later(*this);
  }
}

void UringStream::on_sent(int result) {
  core_.prepare_later(*this);
  if (broken_) {
    return;
  }
  if (result >= 0) {
    kernel_is_full_ = static_cast<std::size_t>(result) < output_.front().size();
    consume(static_cast<std::size_t>(result));
  } else if (is_temporary(-result) || (-result == ECANCELED && taker_ != nullptr)) {
    kernel_is_full_ = true;
  } else {
    set_broken(-result);
  }
}

void UringStream::on_watch(int events) {
  core_.prepare_later(*this);
  if (events < 0 || broken_) {
    return;
  }
  hung_up_ = (events & POLLHUP) != 0;
  // A hang-up that follows our own half-close is an orderly end.
  if ((events & POLLERR) != 0 || (hung_up_ && !finished_)) {
    set_broken(0);
  }
}

void UringStream::service() {
  if (released_ || !socket_) {
    return;
  }
  if (taker_ != nullptr) {
    if (is_idle()) {
      hand_over();
    }
    return;
  }
  if (linger_clock_.running()) {
    if (broken_ || (ended_ && finished_)) {
      release();
    }
  } else if (handler_ == nullptr) {
    return;
  } else if (eof_reported_ || (paused_ && loss_report_ == LossReport::at_once)) {
    if (broken_) {
      report_lost();
    }
  } else if (paused_) {
    return;
  } else if (!kept_.empty()) {
    deliver_kept();
  } else if (ended_) {
    eof_reported_ = true;
    core_.prepare_later(*this);
    if (broken_) {
      core_.enqueue_ready(*this);
    }
    handler_->on_eof();
  } else if (broken_ && !receive_.under_way()) {
    receive_rest();
  }
}

void UringStream::deliver_kept() {
  const auto bytes = std::string_view(kept_).substr(delivered_, kReceiveBufferBytes);
  delivered_ += bytes.size();
  core_.enqueue_ready(*this);
  if (delivered_ < kept_.size()) {
    handler_->on_received(bytes);
    return;
  }
  const auto kept = std::exchange(kept_, {});
  delivered_ = 0;
  core_.prepare_later(*this);
  handler_->on_received(std::string_view(kept).substr(kept.size() - bytes.size()));
}

// What the peer sent before the connection broke, and then why it did. One receive per call.
void UringStream::receive_rest() {
  std::array<char, kRestBytes> buffer;
  const auto received = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (received > 0) {
    core_.enqueue_ready(*this);
    handler_->on_received({buffer.data(), static_cast<std::size_t>(received)});
    return;
  }
  if (received == 0 && error_ == 0) {
    on_end();
    return;
  }
  if (received < 0 && error_ == 0 && !is_temporary(errno)) {
    error_ = errno;
  }
  report_lost();
}

void UringStream::report_lost() {
  error_ = reason_of_loss(socket_.get(), error_);
  std::exchange(handler_, nullptr)->on_lost(error_);
}

// Requires: no request is under way, so that the kernel holds the socket for nobody.
void UringStream::hand_over() {
  Detached result;
  result.error = broken_ ? reason_of_loss(socket_.get(), error_) : 0;
  result.unread = std::exchange(kept_, {}).substr(std::exchange(delivered_, 0));
  result.unsent = output_.take();
  result.connection = std::move(socket_);
  std::exchange(taker_, nullptr)->on_detached(std::move(result));
}

// ---- what the user asks ----

void UringStream::send(std::span<const std::string_view> pieces) {
  if (broken_ || finishing_ || released_) {
    return;
  }
  const bool may_send_now = !sending() && !kernel_is_full_;
  if (may_send_now && output_.bytes() + total_size(pieces) >= kLargeOutputBytes) {
    send_now(pieces);
  } else {
    output_.append(pieces);
  }
  core_.prepare_later(*this);
}

// Offers all output and `pieces` to the kernel; keeps what it does not take.
// Requires: no send is under way; the output is in one piece.
void UringStream::send_now(std::span<const std::string_view> pieces) {
  const auto queued = output_.bytes();
  const auto sent = send_gathered(socket_.get(), output_.front(), pieces);
  if (sent.error != 0) {
    set_broken(sent.error);
    return;
  }
  output_.consume(std::min(sent.taken, queued));
  output_.append(pieces, sent.taken - std::min(sent.taken, queued));
  kernel_is_full_ = !output_.empty();
}

void UringStream::consume(std::size_t sent) {
  output_.consume(sent);
  if (linger_clock_.running() && sent > 0) {
    restart_linger_clock(kFlushTimeoutMs);
  }
  finish_if_flushed();
  if (output_.take_drained() && handler_ != nullptr) {
    handler_->on_drained();
  }
}

void UringStream::finish_if_flushed() {
  const bool is_due = finishing_ && !finished_ && !broken_ && !released_ && output_.empty();
  if (!is_due) {
    return;
  }
  finished_ = true;
  ::shutdown(socket_.get(), SHUT_WR);
  if (linger_clock_.running()) {
    restart_linger_clock(kPeerEndTimeoutMs);
    core_.enqueue_ready(*this);
  }
}

void UringStream::finish_sending() {
  if (broken_ || std::exchange(finishing_, true)) {
    return;
  }
  if (!sending()) {
    send_now({});
  }
  finish_if_flushed();
}

void UringStream::resume_receiving() {
  if (!std::exchange(paused_, false)) {
    return;
  }
  if (!kept_.empty() || ended_ || broken_) {
    core_.enqueue_ready(*this);
  }
}

// Nothing can be sent any more. The receiving side finds out in its turn, after what the peer sent
// before: with the request that is under way out of the way, the rest is read directly.
void UringStream::set_broken(int error) {
  broken_ = true;
  error_ = error_ != 0 ? error_ : error;
  output_.clear();
  core_.prepare_later(*this);
  core_.enqueue_ready(*this);
}

void UringStream::detach(DetachHandler& handler) {
  handler_ = nullptr;
  taker_ = &handler;
  core_.prepare_later(*this);
}

void UringStream::linger() {
  handler_ = nullptr;
  // A peer that has ended already, and a broken one, need no time to read.
  if (broken_ || (ended_ && output_.empty())) {
    release();
    return;
  }
  restart_linger_clock(kFlushTimeoutMs);
  finish_sending();
  core_.prepare_later(*this);
}

void UringStream::restart_linger_clock(std::int64_t delay_ms) {
  linger_clock_.start(delay_ms, [this] { release(); });
}

void UringStream::release() {
  if (std::exchange(released_, true)) {
    return;
  }
  // What the kernel can take at once is not lost.
  if (!broken_ && !sending() && !output_.empty()) {
    send_now({});
  }
  // Requests keep the socket open until they have completed. The peer need not wait for that.
  if (receive_.under_way() || send_.under_way() || watch_.under_way()) {
    ::shutdown(socket_.get(), SHUT_RDWR);
  }
  linger_clock_.stop();
  handler_ = nullptr;
  taker_ = nullptr;
  core_.bury(*this);
}

}  // namespace helios::net
