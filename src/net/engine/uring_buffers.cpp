// SPDX-License-Identifier: Apache-2.0

#include "net/engine/uring_buffers.hpp"

#include <cerrno>
#include <cstring>
#include <string>

#include <sys/mman.h>

namespace helios::net {
namespace {

// Between the buffers. At a distance of a power of two, the beginnings of all of them would fall into
// the same few sets of the processor's caches.
constexpr std::size_t kGapBytes = 320;

constexpr std::size_t kPageBytes = 4096;

std::size_t to_whole_pages(std::size_t bytes) {
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

unsigned buffer_index(const UringCompletion& completion) {
  return completion.flags >> IORING_CQE_BUFFER_SHIFT;
}

bool has_buffer(const UringCompletion& completion) {
  return (completion.flags & IORING_CQE_F_BUFFER) != 0;
}

}  // namespace

base::Result<std::unique_ptr<UringBuffers>> UringBuffers::create(UringRing& ring,
                                                                 const UringSizes& sizes) {
  std::unique_ptr<UringBuffers> buffers(new UringBuffers);
  const auto ring_bytes = to_whole_pages(sizes.buffers * sizeof(io_uring_buf));
  buffers->count_ = sizes.buffers;
  buffers->buffer_bytes_ = static_cast<unsigned>(sizes.buffer_bytes);
  buffers->stride_ = sizes.buffer_bytes + kGapBytes;
  buffers->mapped_bytes_ = ring_bytes + sizes.buffers * buffers->stride_;
  // Memory that was never received into is never there.
  void* mapped = ::mmap(nullptr, buffers->mapped_bytes_, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) {
    return base::fail(base::Errc::unavailable, std::string("mmap: ") + std::strerror(errno));
  }
  buffers->ring_ = static_cast<io_uring_buf_ring*>(mapped);
  buffers->memory_ = static_cast<char*>(mapped) + ring_bytes;
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(mapped);
  registration.ring_entries = sizes.buffers;
  registration.bgid = kGroup;
  const int error = io_uring_register_buf_ring(&ring.handle(), &registration, 0);
  if (error < 0) {
    return base::fail(base::Errc::unavailable,
                      std::string("io_uring_register_buf_ring: ") + std::strerror(-error));
  }
  io_uring_buf_ring_init(buffers->ring_);
  for (unsigned i = 0; i < sizes.buffers; ++i) {
    buffers->offer(i, i);
  }
  io_uring_buf_ring_advance(buffers->ring_, static_cast<int>(sizes.buffers));
  return buffers;
}

UringBuffers::~UringBuffers() {
  if (ring_ != nullptr) {
    ::munmap(ring_, mapped_bytes_);
  }
}

void UringBuffers::offer(unsigned index, unsigned position) {
  io_uring_buf_ring_add(ring_, buffer(index), buffer_bytes_, static_cast<std::uint16_t>(index),
                        io_uring_buf_ring_mask(count_), static_cast<int>(position));
}

std::string_view UringBuffers::received(const UringCompletion& completion) const {
  if (!has_buffer(completion) || completion.result <= 0) {
    return {};
  }
  return {buffer(buffer_index(completion)), static_cast<std::size_t>(completion.result)};
}

void UringBuffers::give_back(const UringCompletion& completion) {
  if (has_buffer(completion)) {
    offer(buffer_index(completion), 0);
    io_uring_buf_ring_advance(ring_, 1);
  }
}

}  // namespace helios::net
