// SPDX-License-Identifier: Apache-2.0

#include "net/engine/socket_io.hpp"

#include <array>
#include <cerrno>

#include <sys/socket.h>
#include <sys/uio.h>

namespace helios::net {
namespace {

// One sendmsg takes so many pieces; far fewer are usual.
constexpr std::size_t kMaxPieces = 64;

// What one sendmsg shall send.
class Batch {
 public:
  [[nodiscard]] bool full() const { return count_ == vectors_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  void add(std::string_view piece) {
    if (!piece.empty()) {
      vectors_[count_++] = {const_cast<char*>(piece.data()), piece.size()};
      bytes_ += piece.size();
    }
  }

  // Returns whether the kernel took all of it. Leaves the batch empty.
  bool send(int fd, SendResult& result) {
    msghdr message{};
    message.msg_iov = vectors_.data();
    message.msg_iovlen = count_;
    ssize_t sent = 0;
    do {
      sent = ::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) {
      result.error = is_temporary(errno) ? 0 : errno;
      return false;
    }
    result.taken += static_cast<std::size_t>(sent);
    const bool whole = static_cast<std::size_t>(sent) == bytes_;
    count_ = 0;
    bytes_ = 0;
    return whole;
  }

 private:
  std::array<iovec, kMaxPieces> vectors_;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

// Cheaper than a batch of one, which nearly all are.
SendResult send_one(int fd, std::string_view piece) {
  ssize_t sent = 0;
  do {
    sent = ::send(fd, piece.data(), piece.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) {
    return {.error = is_temporary(errno) ? 0 : errno};
  }
  return {.taken = static_cast<std::size_t>(sent)};
}

}  // namespace

bool is_temporary(int error) { return error == EAGAIN || error == EINTR; }

SendResult send_gathered(int fd, std::string_view head, std::span<const std::string_view> pieces) {
  if (pieces.empty()) {
    return head.empty() ? SendResult{} : send_one(fd, head);
  }
  if (head.empty() && pieces.size() == 1) {
    return pieces[0].empty() ? SendResult{} : send_one(fd, pieces[0]);
  }
  SendResult result;
  Batch batch;
  batch.add(head);
  for (const auto& piece : pieces) {
    if (batch.full() && !batch.send(fd, result)) {
      return result;
    }
    batch.add(piece);
  }
  if (batch.bytes() > 0) {
    batch.send(fd, result);
  }
  return result;
}

int take_socket_error(int fd) {
  int error = 0;
  socklen_t length = sizeof(error);
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  return error;
}

int reason_of_loss(int fd, int known) {
  const int error = known != 0 ? known : take_socket_error(fd);
  return error != 0 ? error : ECONNRESET;
}

}  // namespace helios::net
