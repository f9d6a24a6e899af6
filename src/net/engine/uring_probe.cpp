// SPDX-License-Identifier: Apache-2.0

#include "net/engine/fd.hpp"
#include "net/engine/uring_buffers.hpp"
#include "net/engine/uring_engine.hpp"
#include "net/engine/uring_ring.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include <sys/socket.h>

namespace helios::net {
namespace {

constexpr UringSizes kSizes{4, 8, 2, 64};
constexpr std::int64_t kPatienceNs = 5'000'000'000;
constexpr std::string_view kBytes = "io_uring";

// More than a socket takes at once.
constexpr std::size_t kTooManyBytes = 16U << 20;

enum Tag : std::uint64_t { kReceive, kSend };

base::Result<void> fail(const std::string& what, int error = 0) {
  return base::fail(base::Errc::unavailable,
                    error == 0 ? what : what + ": " + std::strerror(error));
}

class Probe {
 public:
  // Lifetime: both outlive it.
  Probe(UringRing& ring, UringBuffers& buffers) : ring_(ring), buffers_(buffers) {}

  base::Result<void> run();

 private:
  base::Result<void> connect();
  void receive();
  void send(std::string_view bytes);
  base::Result<void> expect_bytes();
  base::Result<void> expect_failed_send();

  UringRing& ring_;
  UringBuffers& buffers_;
  Fd near_;
  Fd far_;
};

base::Result<void> Probe::connect() {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return fail("socketpair", errno);
  }
  near_ = Fd(pair[0]);
  far_ = Fd(pair[1]);
  return {};
}

void Probe::receive() {
  auto* request = ring_.next_request();
  io_uring_prep_recv_multishot(request, near_.get(), nullptr, 0, 0);
  request->flags |= IOSQE_BUFFER_SELECT;
  request->buf_group = UringBuffers::kGroup;
  io_uring_sqe_set_data64(request, kReceive);
}

void Probe::send(std::string_view bytes) {
  auto* request = ring_.next_request();
  io_uring_prep_send(request, far_.get(), bytes.data(), bytes.size(),
                     MSG_NOSIGNAL | MSG_DONTWAIT | MSG_WAITALL);
  request->flags |= IOSQE_CQE_SKIP_SUCCESS;
  io_uring_sqe_set_data64(request, kSend);
}

// The receive completes and goes on; the send that led to it is silent.
base::Result<void> Probe::expect_bytes() {
  ring_.submit_and_wait(kPatienceNs);
  if (ring_.completions_waiting() == 0) {
    return fail("io_uring_enter: no completion comes");
  }
  const auto completion = ring_.take_completion();
  if (completion.result < 0) {
    return fail("io_uring receive", -completion.result);
  }
  const bool goes_on = (completion.flags & IORING_CQE_F_MORE) != 0;
  if (completion.tag != kReceive || !goes_on || buffers_.received(completion) != kBytes) {
    return fail("io_uring receives otherwise than expected");
  }
  buffers_.give_back(completion);
  return {};
}

// A send that cannot be completed at once says how far it came.
base::Result<void> Probe::expect_failed_send() {
  ring_.submit_and_wait(kPatienceNs);
  while (ring_.completions_waiting() > 0) {
    const auto completion = ring_.take_completion();
    if (completion.tag == kSend) {
      const bool is_part =
          completion.result > 0 && static_cast<std::size_t>(completion.result) < kTooManyBytes;
      return is_part ? base::Result<void>() : fail("io_uring sends otherwise than expected");
    }
  }
  return fail("io_uring sends otherwise than expected");
}

base::Result<void> Probe::run() {
  if (auto connected = connect(); !connected) {
    return connected;
  }
  receive();
  for (int i = 0; i < 2; ++i) {
    send(kBytes);
    if (auto received = expect_bytes(); !received) {
      return received;
    }
  }
  const std::string too_many(kTooManyBytes, 'x');
  send(too_many);
  return expect_failed_send();
}

}  // namespace

base::Result<void> try_uring() {
  auto ring = UringRing::create(kSizes);
  if (!ring) {
    return base::fail(ring.error().code, ring.error().message);
  }
  const auto buffers = UringBuffers::create(**ring, kSizes);
  if (!buffers) {
    return base::fail(buffers.error().code, buffers.error().message);
  }
  auto result = Probe(**ring, **buffers).run();
  ring->reset();  // before the buffers
  return result;
}

}  // namespace helios::net
