// SPDX-License-Identifier: Apache-2.0
//
// The floor: a relay that knows nothing of PostgreSQL and moves bytes between a client and a server
// with one recv and one send for each piece. What a proxy costs beyond this is its own.
//
// usage: epoll_relay LISTEN_PORT SERVER_PORT|SOCKET

#include "relay_sockets.hpp"

#include <array>
#include <cerrno>
#include <vector>

#include <sys/epoll.h>

namespace {

// One direction's source; the other end is where its bytes go.
struct End {
  int fd = -1;
  End* peer = nullptr;
  bool ended = false;
};

void watch(int epoll, End* end) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = end;
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, end->fd, &event);
}

void end(int epoll, End& from) {
  ::epoll_ctl(epoll, EPOLL_CTL_DEL, from.fd, nullptr);
  ::shutdown(from.peer->fd, SHUT_WR);
  from.ended = true;
  if (!from.peer->ended) return;
  ::close(from.fd);
  ::close(from.peer->fd);  // the few bytes of both ends stay
}

void move_bytes(int epoll, End& from) {
  static std::array<char, 65536> buffer;
  const ssize_t got = ::recv(from.fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got > 0) {
    floor_relay::send_all(from.peer->fd, buffer.data(), static_cast<std::size_t>(got));
  } else if (got == 0 || errno != EAGAIN) {
    end(epoll, from);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const int listener = floor_relay::listen_on(argv[1]);
  const int epoll = ::epoll_create1(0);
  End accepting{listener};
  watch(epoll, &accepting);
  std::array<epoll_event, 256> events{};
  while (true) {
    const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      auto* source = static_cast<End*>(events[static_cast<std::size_t>(i)].data.ptr);
      if (source != &accepting) {
        move_bytes(epoll, *source);
        continue;
      }
      auto* client = new End{floor_relay::accept_from(listener)};
      auto* server = new End{floor_relay::connect_to(argv[2]), client};
      client->peer = server;
      watch(epoll, client);
      watch(epoll, server);
    }
  }
}
