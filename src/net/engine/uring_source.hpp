// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the io_uring engine's own objects share. Private to this module.
//
// Nobody talks to the kernel in the middle of a round: an object says with prepare_later() that it
// wants something, and is asked for its requests once, when the round is over. All requests of a round
// then go out in one system call, the one that waits for the next completions.
//
// A send that may not wait (UringUse::send_at_once) is over when the submission is. Where it sent
// everything, which is nearly always so, no completion comes: it costs none and wakes nobody, and its
// object is told in the next round. Otherwise a completion says how far it came.
//
// A request names its object by address. So an object lives until its last request has completed,
// whatever became of it meanwhile, and no completion can ever be taken for that of another object.

#include "net/engine/engine_base.hpp"
#include "net/engine/uring_ring.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace helios::net {

// What a request is for: together with the object's address the request's tag.
enum class UringUse : std::uint8_t {
  receive,
  send_at_once,  // see above
  send,
  watch,
  accept,
  cancel,
};

class UringCore;

// Lifetime: owned by the UringCore, which destroys it after bury() and the last completion.
class alignas(16) UringSource {
 public:
  virtual ~UringSource() = default;

  // Queues the requests that are wanted now. Returns false when the queue was full: the call is
  // repeated later. Also called after bury(), to cancel what is under way.
  [[nodiscard]] virtual bool prepare() = 0;

  // `completion` is the last one of its request when IORING_CQE_F_MORE is not set. What it received
  // is `received`, valid during the call. Also called after bury().
  virtual void on_completion(UringUse use, const UringCompletion& completion,
                             std::string_view received) = 0;

  // The request for UringUse::send_at_once has sent everything.
  virtual void on_sent_at_once() {}

  // Called once for every time that the source was put on the ready list.
  virtual void service() = 0;

  // Releases the object, if nobody did.
  virtual void abandon() = 0;

 private:
  friend class UringEngine;
  friend class UringRequest;
  unsigned in_flight_ = 0;  // requests whose last completion has not come
  bool buried_ = false;
  bool on_ready_list_ = false;
  bool on_prepare_list_ = false;
};

// One kind of request of an object, of which at most one is under way.
class UringRequest {
 public:
  explicit UringRequest(UringUse use) : use_(use) {}

  [[nodiscard]] bool under_way() const { return under_way_; }

  // A request to fill in (see io_uring_prep_*()); null when the queue is full. Calls `fill` with it.
  // Requires: not under way.
  template <typename Fill>
  [[nodiscard]] bool start(UringRing& ring, UringSource& source, Fill fill);

  // Asks the kernel to end it; harmless when that was done before, or it is not under way. It still
  // completes in its own way. Returns false when the queue is full.
  [[nodiscard]] bool cancel(UringRing& ring, UringSource& source);

  // To be called with every completion of the request.
  void note(const UringCompletion& completion) {
    if ((completion.flags & IORING_CQE_F_MORE) == 0) {
      note_end();
    }
  }
  void note_end() {
    under_way_ = false;
    cancelled_ = false;
  }

 private:
  static std::uint64_t tag(UringSource& source, UringUse use) {
    return reinterpret_cast<std::uintptr_t>(&source) | static_cast<std::uint64_t>(use);
  }

  UringUse use_;
  bool under_way_ = false;
  bool cancelled_ = false;
};

// What the engine's objects may ask of the engine.
class UringCore : public EngineBase {
 public:
  [[nodiscard]] virtual UringRing& ring() = 0;
  // prepare() will be called at the end of this round.
  virtual void prepare_later(UringSource& source) = 0;
  // A request for UringUse::send_at_once was queued: either on_sent_at_once() or on_completion() follows.
  virtual void expect_at_once(UringSource& source) = 0;
  // service() will be called from run_once(): in the present round when the source is not being
  // serviced, in the next one otherwise.
  virtual void enqueue_ready(UringSource& source) = 0;
  // Nothing is reported to `source`'s user any more. It will be destroyed when nothing refers to it.
  virtual void bury(UringSource& source) = 0;
};

template <typename Fill>
bool UringRequest::start(UringRing& ring, UringSource& source, Fill fill) {
  auto* request = ring.next_request();
  if (request == nullptr) {
    return false;
  }
  fill(request);
  io_uring_sqe_set_data64(request, tag(source, use_));
  under_way_ = true;
  ++source.in_flight_;
  return true;
}

inline bool UringRequest::cancel(UringRing& ring, UringSource& source) {
  if (!under_way_ || cancelled_) {
    return true;
  }
  auto* request = ring.next_request();
  if (request == nullptr) {
    return false;
  }
  io_uring_prep_cancel64(request, tag(source, use_), 0);
  io_uring_sqe_set_data64(request, tag(source, UringUse::cancel));
  cancelled_ = true;
  ++source.in_flight_;
  return true;
}

}  // namespace helios::net
