// SPDX-License-Identifier: Apache-2.0
#pragma once

// One io_uring of one thread, thinly: requests are queued, handed to the kernel together, and come
// back as completions. Private to this module.
//
// The ring is made for a single issuer with deferred task work: the kernel does nothing on its own
// account while the thread runs, everything happens inside submit_and_wait(). It is created disabled
// and bound to the first thread that submits.
//
// Thread rule: create() and next_request() on any thread before the first submission, everything else
// on the thread of the first submission. Destruction: there, or when that thread has ended (its end
// has then ended all requests).

#include "base/result.hpp"
#include "net/engine/uring_sizes.hpp"

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>

namespace helios::net {

struct UringCompletion {
  std::uint64_t tag = 0;  // of the request
  int result = 0;         // negative: -errno
  unsigned flags = 0;     // IORING_CQE_F_*
};

class UringRing {
 public:
  // Errors: unavailable, when the kernel refuses or lacks something.
  [[nodiscard]] static base::Result<std::unique_ptr<UringRing>> create(const UringSizes& sizes);
  ~UringRing();
  UringRing(const UringRing&) = delete;
  UringRing& operator=(const UringRing&) = delete;

  // A request to fill in, which goes out with the next submission; null when the queue is full even
  // after a submission. Valid until the next call.
  [[nodiscard]] io_uring_sqe* next_request();

  // Hands the queued requests to the kernel. Returns false when it takes none for now.
  bool submit();

  // Hands the queued requests to the kernel and waits until a completion is there, `wait_ns` are over
  // (Engine::kNoLimit: never), or a signal comes.
  void submit_and_wait(std::int64_t wait_ns);

  [[nodiscard]] unsigned completions_waiting() const { return io_uring_cq_ready(&ring_); }
  // Whether the kernel has seen every request, and every completion that there is can be seen here.
  [[nodiscard]] bool is_settled() const {
    return io_uring_sq_ready(&ring_) == 0 && !io_uring_cq_has_overflow(&ring_);
  }
  // Requires: completions_waiting() > 0.
  [[nodiscard]] UringCompletion take_completion();

  // Whether requests can be made on this thread.
  [[nodiscard]] bool belongs_here() const { return owner_ == std::this_thread::get_id(); }

  [[nodiscard]] io_uring& handle() { return ring_; }

 private:
  UringRing() = default;
  bool enable();

  mutable io_uring ring_{};
  std::thread::id owner_;  // none until the first submission
};

}  // namespace helios::net
