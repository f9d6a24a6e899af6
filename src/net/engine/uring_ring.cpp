// SPDX-License-Identifier: Apache-2.0

#include "net/engine/uring_ring.hpp"

#include "net/engine/engine.hpp"

#include <cerrno>
#include <cstring>
#include <string>

namespace helios::net {
namespace {

constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;

// No completion is lost; waits have a time limit; success can be silent.
constexpr unsigned kFeatures =
    IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG | IORING_FEAT_CQE_SKIP | IORING_FEAT_SINGLE_MMAP;

}  // namespace

base::Result<std::unique_ptr<UringRing>> UringRing::create(const UringSizes& sizes) {
  std::unique_ptr<UringRing> ring(new UringRing);
  io_uring_params params{};
  params.flags = IORING_SETUP_R_DISABLED | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                 IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE;
  params.cq_entries = sizes.completions;
  const int error = io_uring_queue_init_params(sizes.requests, &ring->ring_, &params);
  if (error < 0) {
    ring->ring_.ring_fd = -1;
    return base::fail(base::Errc::unavailable,
                      std::string("io_uring_setup: ") + std::strerror(-error));
  }
  if ((ring->ring_.features & kFeatures) != kFeatures) {
    return base::fail(base::Errc::unavailable, "io_uring_setup: the kernel lacks features");
  }
  return ring;
}

UringRing::~UringRing() {
  if (ring_.ring_fd < 0) {
    return;
  }
  if (!belongs_here()) {
    // The ring's registered number was that of another thread and went with it; here it may name
    // another ring.
    ring_.int_flags = 0;
    ring_.enter_ring_fd = ring_.ring_fd;
  }
  io_uring_queue_exit(&ring_);
}

bool UringRing::enable() {
  if (owner_ != std::thread::id()) {
    return true;
  }
  // Debian's shared library does not export io_uring_enable_rings(), which does just this.
  const auto descriptor = static_cast<unsigned>(ring_.ring_fd);
  if (io_uring_register(descriptor, IORING_REGISTER_ENABLE_RINGS, nullptr, 0) < 0) {
    return false;
  }
  owner_ = std::this_thread::get_id();
  // Spares the look-up of the descriptor in every call. It works without.
  io_uring_register_ring_fd(&ring_);
  return true;
}

io_uring_sqe* UringRing::next_request() {
  auto* request = io_uring_get_sqe(&ring_);
  if (request == nullptr && submit()) {
    request = io_uring_get_sqe(&ring_);
  }
  return request;
}

bool UringRing::submit() { return enable() && io_uring_submit(&ring_) > 0; }

void UringRing::submit_and_wait(std::int64_t wait_ns) {
  if (!enable()) {
    return;
  }
  if (wait_ns == 0) {
    io_uring_submit_and_get_events(&ring_);
    return;
  }
  if (wait_ns == Engine::kNoLimit) {
    io_uring_submit_and_wait(&ring_, 1);
    return;
  }
  __kernel_timespec timeout{wait_ns / kNanosecondsPerSecond, wait_ns % kNanosecondsPerSecond};
  io_uring_cqe* first = nullptr;
  io_uring_submit_and_wait_timeout(&ring_, &first, 1, &timeout, nullptr);
}

UringCompletion UringRing::take_completion() {
  const auto& queue = ring_.cq;
  const auto head = *queue.khead;
  const auto& entry = queue.cqes[head & queue.ring_mask];
  const UringCompletion completion{entry.user_data, entry.res, entry.flags};
  io_uring_cq_advance(&ring_, 1);
  return completion;
}

}  // namespace helios::net
