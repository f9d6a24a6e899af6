// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the epoll engine's own objects share. Private to this module.
//
// Every descriptor is registered once, edge-triggered, for everything it may ever report; no call to
// epoll_ctl is made per message, and none to pause or resume. The price is that an object remembers
// what it was told: work that is left over (or that must not happen inside the present call) waits in
// the engine's ready list, from which service() is called.

#include "net/engine/engine_base.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace helios::net {

// Lifetime: owned by the EpollCore, which destroys it some time after bury().
class EpollSource {
 public:
  virtual ~EpollSource() = default;

  // `events` as epoll_wait reports them. Never called again after bury().
  virtual void on_events(std::uint32_t events) = 0;
  // Called once for every time that the source was put on the ready list.
  virtual void service() = 0;

 private:
  friend class EpollEngine;
  bool buried_ = false;
  bool on_ready_list_ = false;
};

// What the engine's objects may ask of the engine.
class EpollCore : public EngineBase {
 public:
  // Registers `fd` for reading and writing, edge-triggered. False when the kernel refuses.
  [[nodiscard]] virtual bool watch(int fd, EpollSource& source) = 0;
  virtual void unwatch(int fd) = 0;
  // service() will be called from run_once(): in the present round when the source is not being
  // serviced, in the next one otherwise.
  virtual void enqueue_ready(EpollSource& source) = 0;
  // `source` has closed its descriptor and will be destroyed when nothing refers to it any more.
  virtual void bury(EpollSource& source) = 0;

  // Where streams receive into.
  [[nodiscard]] virtual std::span<char> receive_buffer() = 0;
};

}  // namespace helios::net
