// SPDX-License-Identifier: Apache-2.0

#include "net/fd.hpp"
#include "net/uring_buffers.hpp"
#include "net/uring_engine.hpp"
#include "net/uring_ring.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include <sys/socket.h>
#include <unistd.h>

namespace helios::net {
namespace {

constexpr UringSizes kSizes{4, 8, 2, 64};
constexpr std::int64_t kPatienceNs = 5'000'000'000;
constexpr std::string_view kBytes = "io_uring";

// One completion of the receive.
base::Result<void> expect_bytes(UringRing& ring, UringBuffers& buffers) {
  ring.submit_and_wait(1, kPatienceNs);
  if (ring.completions_waiting() == 0) {
    return base::fail(base::Errc::unavailable, "io_uring_enter: no completion comes");
  }
  const auto completion = ring.take_completion();
  if (completion.result < 0) {
    return base::fail(base::Errc::unavailable,
                      std::string("multishot receive: ") + std::strerror(-completion.result));
  }
  const bool goes_on = (completion.flags & IORING_CQE_F_MORE) != 0;
  if (!goes_on || buffers.received(completion) != kBytes) {
    return base::fail(base::Errc::unavailable, "multishot receive does not work");
  }
  buffers.give_back(completion);
  return {};
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
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return base::fail(base::Errc::unavailable, std::string("socketpair: ") + std::strerror(errno));
  }
  const Fd near(pair[0]);
  const Fd far(pair[1]);
  auto* request = (*ring)->next_request();
  io_uring_prep_recv_multishot(request, near.get(), nullptr, 0, 0);
  request->flags |= IOSQE_BUFFER_SELECT;
  request->buf_group = UringBuffers::kGroup;
  // Twice: a kernel that knows no multishot takes the request for an ordinary one.
  for (int i = 0; i < 2; ++i) {
    if (::write(far.get(), kBytes.data(), kBytes.size()) != static_cast<ssize_t>(kBytes.size())) {
      return base::fail(base::Errc::unavailable, std::string("write: ") + std::strerror(errno));
    }
    if (auto received = expect_bytes(**ring, **buffers); !received) {
      return received;
    }
  }
  // The ring is closed while the request is under way; what it could write into stays until then.
  ring->reset();
  return {};
}

}  // namespace helios::net
