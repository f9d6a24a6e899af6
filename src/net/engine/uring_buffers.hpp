// SPDX-License-Identifier: Apache-2.0
#pragma once

// The buffers that all streams of one ring receive into: the kernel takes one when bytes are there to
// be received, not before, so an idle connection holds none. A buffer is given back as soon as its
// bytes were looked at; whoever wants to keep some copies them. So nobody can hold the buffers that
// others need. Private to this module.

#include "net/engine/uring_ring.hpp"

#include <string_view>

namespace helios::net {

// Thread rule and lifetime: as the ring, which is destroyed first.
class UringBuffers {
 public:
  // The name under which requests ask for a buffer (io_uring_sqe::buf_group).
  static constexpr std::uint16_t kGroup = 0;

  // Errors: unavailable, when the kernel refuses.
  [[nodiscard]] static base::Result<std::unique_ptr<UringBuffers>> create(UringRing& ring,
                                                                          const UringSizes& sizes);
  ~UringBuffers();
  UringBuffers(const UringBuffers&) = delete;
  UringBuffers& operator=(const UringBuffers&) = delete;

  // What was received with this completion; empty when it has no buffer. Valid until give_back().
  [[nodiscard]] std::string_view received(const UringCompletion& completion) const;

  // Does nothing when the completion has no buffer.
  void give_back(const UringCompletion& completion);

 private:
  UringBuffers() = default;

  [[nodiscard]] char* buffer(unsigned index) const { return memory_ + index * stride_; }
  void offer(unsigned index, unsigned position);

  io_uring_buf_ring* ring_ = nullptr;  // at the beginning of the mapping; the buffers follow
  char* memory_ = nullptr;
  std::size_t mapped_bytes_ = 0;
  std::size_t stride_ = 0;
  unsigned buffer_bytes_ = 0;
  unsigned count_ = 0;
};

}  // namespace helios::net
