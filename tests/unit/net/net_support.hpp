// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of this module share: blocking sockets for the far end, a handler that records, and
// a loop that runs an engine until something is true.

#include "net/engine/engine.hpp"
#include "net/engine/uring_engine.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace helios::net {

// What the tests of streams, listeners and whole proxies run on.
enum class TestEngine {
  epoll,
  io_uring,
  tiny_io_uring,  // so small that every queue is full and every buffer taken all the time
};

inline std::string name_of(TestEngine engine) {
  switch (engine) {
    case TestEngine::epoll: return "epoll";
    case TestEngine::io_uring: return "io_uring";
    case TestEngine::tiny_io_uring: return "tiny_io_uring";
  }
  return "";
}

// Those of ordinary size that there are on this machine; with ThreadSanitizer epoll alone.
inline std::vector<TestEngine> sized_engines_for_test() {
  // Every suite asks, in every process: trying it out takes 30 ms.
  static const bool has_uring = [] {
    const auto chosen = choose_engine(config::EngineChoice::automatic);
    return chosen && chosen->kind == EngineKind::io_uring;
  }();
  if (has_uring) return {TestEngine::epoll, TestEngine::io_uring};
  return {TestEngine::epoll};
}

inline std::vector<TestEngine> engines_for_test() {
  auto engines = sized_engines_for_test();
  if (engines.size() > 1) {
    engines.push_back(TestEngine::tiny_io_uring);
  }
  return engines;
}

inline std::unique_ptr<Engine> make_engine_for_test(TestEngine kind = TestEngine::epoll) {
  constexpr UringSizes kTiny{2, 4, 2, 512};
  auto engine = kind == TestEngine::epoll      ? make_epoll_engine()
                : kind == TestEngine::io_uring ? make_uring_engine()
                                               : make_uring_engine(kTiny);
  EXPECT_TRUE(engine);
  return std::move(*engine);
}

// Suites that run on all of them derive from it and are instantiated by HELIOS_ON_ALL_ENGINES.
class OnEveryEngine : public testing::TestWithParam<TestEngine> {
 protected:
  [[nodiscard]] std::unique_ptr<Engine> make_engine() { return make_engine_for_test(GetParam()); }
};

#define HELIOS_ON_ALL_ENGINES(suite)                                                      \
  INSTANTIATE_TEST_SUITE_P(/* no prefix */, suite, testing::ValuesIn(engines_for_test()), \
                           [](const auto& instance) { return name_of(instance.param); })

// Runs the engine until `done`; false when that takes longer than a broken test deserves.
template <typename Done>
bool run_until(Engine& engine, Done done) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) {
      return false;
    }
    engine.run_once(10);
  }
  return true;
}

// Runs the engine until it has nothing to do.
inline void run_until_idle(Engine& engine) {
  for (int i = 0; i < 20; ++i) {
    engine.run_once(0);
  }
}

// Whether an engine that has nothing to do waits as long as it may, once late events have come.
inline bool sleeps(Engine& engine) {
  bool slept = false;
  for (int i = 0; i < 20 && !slept; ++i) {
    const auto started = std::chrono::steady_clock::now();
    engine.run_once(100);
    slept = std::chrono::steady_clock::now() - started > std::chrono::milliseconds(50);
  }
  return slept;
}

// A listening socket on a free loopback port.
inline Fd listen_on_loopback() {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const auto endpoint = tcp_endpoint({"127.0.0.1", 0});
  EXPECT_EQ(::bind(fd.get(), endpoint->address(), endpoint->length), 0);
  EXPECT_EQ(::listen(fd.get(), 128), 0);
  return fd;
}

// A blocking connection to a listening socket.
inline Fd connect_blocking(const Endpoint& to) {
  Fd fd(::socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(fd.get(), to.address(), to.length), 0) << std::strerror(errno);
  return fd;
}

// Two connected TCP sockets: `near` for the engine, `far` for the test, which blocks.
struct TcpPair {
  Fd near;
  Fd far;

  TcpPair() {
    const auto listening = listen_on_loopback();
    far = connect_blocking(local_endpoint(listening.get()));
    near = Fd(::accept4(listening.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    EXPECT_TRUE(near);
  }
};

inline void send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    ASSERT_GT(sent, 0) << std::strerror(errno);
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

// Reads exactly `count` bytes, or fewer when the peer ends.
inline std::string receive_exactly(int fd, std::size_t count) {
  std::string result(count, '\0');
  std::size_t got = 0;
  while (got < count) {
    const auto received = ::recv(fd, result.data() + got, count - got, 0);
    if (received <= 0) {
      break;
    }
    got += static_cast<std::size_t>(received);
  }
  result.resize(got);
  return result;
}

// Closes so that the peer sees a reset.
inline void reset_connection(Fd fd) {
  const linger option{1, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &option, sizeof(option));
}

class RecordingHandler : public StreamHandler {
 public:
  void on_received(std::string_view bytes) override {
    received += bytes;
    ++chunks;
  }
  void on_eof() override { ++eofs; }
  void on_lost(int error) override {
    ++losses;
    last_error = error;
  }
  void on_drained() override { ++drained; }

  std::string received;
  int chunks = 0;
  int eofs = 0;
  int losses = 0;
  int last_error = 0;
  int drained = 0;
};

inline void send_text(Stream& stream, std::string_view text) { stream.send({&text, 1}); }

}  // namespace helios::net
