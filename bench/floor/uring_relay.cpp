// SPDX-License-Identifier: Apache-2.0
//
// The floor of io_uring: multishot receive into provided buffers, sends and receives of one round
// submitted together, task work deferred to the wait. One system call per round.
//
// usage: uring_relay LISTEN_PORT SERVER_PORT|SOCKET

#include "relay_sockets.hpp"

#include <liburing.h>

#include <cstdint>
#include <vector>

namespace {

constexpr unsigned kEntries = 4096;
constexpr unsigned kBuffers = 1024;
constexpr std::size_t kBufferBytes = 16384;
constexpr int kGroup = 1;

enum class Operation : std::uint8_t { accept, receive, send };

// One direction's source; the other end is where its bytes go.
struct End {
  int fd = -1;
  End* peer = nullptr;
  bool ended = false;
};

// user_data: the end's address with the operation in its low bits, and the buffer in its high ones.
std::uint64_t tag(const End* end, Operation operation, unsigned buffer = 0) {
  return reinterpret_cast<std::uint64_t>(end) | static_cast<std::uint64_t>(operation) |
         (static_cast<std::uint64_t>(buffer) << 48);
}

class Relay {
 public:
  Relay(int listener, const char* server) : listener_{listener}, server_(server) {
    io_uring_params parameters{};
    parameters.flags =
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
    parameters.cq_entries = 4 * kEntries;
    floor_relay::check(::io_uring_queue_init_params(kEntries, &ring_, &parameters), "io_uring");
    make_buffers();
    accept();
  }

  [[noreturn]] void run() {
    while (true) {
      ::io_uring_submit_and_wait(&ring_, 1);
      unsigned head = 0;
      unsigned seen = 0;
      io_uring_cqe* completion = nullptr;
      io_uring_for_each_cqe(&ring_, head, completion) {
        handle(*completion);
        ++seen;
      }
      ::io_uring_cq_advance(&ring_, seen);
    }
  }

 private:
  void make_buffers() {
    memory_.resize(kBuffers * kBufferBytes);
    io_uring_buf_reg registration{};
    void* entries = nullptr;
    floor_relay::check(::posix_memalign(&entries, 4096, kBuffers * sizeof(io_uring_buf)), "memory");
    registration.ring_addr = reinterpret_cast<std::uint64_t>(entries);
    registration.ring_entries = kBuffers;
    registration.bgid = kGroup;
    floor_relay::check(::io_uring_register_buf_ring(&ring_, &registration, 0), "buffers");
    buffers_ = static_cast<io_uring_buf_ring*>(entries);
    ::io_uring_buf_ring_init(buffers_);
    for (unsigned i = 0; i < kBuffers; ++i) give_back(i);
  }

  void give_back(unsigned buffer) {
    ::io_uring_buf_ring_add(buffers_, memory_.data() + buffer * kBufferBytes, kBufferBytes,
                            static_cast<unsigned short>(buffer), ::io_uring_buf_ring_mask(kBuffers),
                            0);
    ::io_uring_buf_ring_advance(buffers_, 1);
  }

  io_uring_sqe* next() {
    io_uring_sqe* entry = ::io_uring_get_sqe(&ring_);
    if (entry == nullptr) {
      ::io_uring_submit(&ring_);
      entry = ::io_uring_get_sqe(&ring_);
    }
    return entry;
  }

  void accept() {
    io_uring_sqe* entry = next();
    ::io_uring_prep_accept(entry, listener_.fd, nullptr, nullptr, 0);
    ::io_uring_sqe_set_data64(entry, tag(&listener_, Operation::accept));
  }

  void receive(End* end) {
    io_uring_sqe* entry = next();
    ::io_uring_prep_recv_multishot(entry, end->fd, nullptr, 0, 0);
    entry->flags |= IOSQE_BUFFER_SELECT;
    entry->buf_group = kGroup;
    ::io_uring_sqe_set_data64(entry, tag(end, Operation::receive));
  }

  void handle(const io_uring_cqe& completion) {
    auto* end = reinterpret_cast<End*>(completion.user_data & 0x0000'ffff'ffff'fff8);
    switch (static_cast<Operation>(completion.user_data & 7)) {
      case Operation::accept: return on_accepted(completion.res);
      case Operation::send: return give_back(static_cast<unsigned>(completion.user_data >> 48));
      case Operation::receive: return on_received(end, completion);
    }
  }

  void on_accepted(int fd) {
    floor_relay::check(fd, "accept");
    floor_relay::send_at_once(fd);
    auto* client = new End{fd};
    auto* server = new End{floor_relay::connect_to(server_), client};
    client->peer = server;
    receive(client);
    receive(server);
    accept();
  }

  void on_ended(End* end) {
    ::shutdown(end->peer->fd, SHUT_WR);
    end->ended = true;
    if (!end->peer->ended) return;
    ::close(end->fd);
    ::close(end->peer->fd);  // the few bytes of both ends stay
  }

  void on_received(End* end, const io_uring_cqe& completion) {
    if (completion.res <= 0) {
      if (completion.res == -ENOBUFS) return receive(end);
      return on_ended(end);
    }
    const unsigned buffer = completion.flags >> IORING_CQE_BUFFER_SHIFT;
    io_uring_sqe* entry = next();
    // Waits for room, so that nothing is sent short and one buffer is one send.
    ::io_uring_prep_send(entry, end->peer->fd, memory_.data() + buffer * kBufferBytes,
                         static_cast<std::size_t>(completion.res), MSG_WAITALL | MSG_NOSIGNAL);
    ::io_uring_sqe_set_data64(entry, tag(end->peer, Operation::send, buffer));
    if ((completion.flags & IORING_CQE_F_MORE) == 0) receive(end);
  }

  io_uring ring_{};
  io_uring_buf_ring* buffers_ = nullptr;
  std::vector<char> memory_;
  End listener_;
  const char* server_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  Relay relay(floor_relay::listen_on(argv[1]), argv[2]);
  relay.run();
}
