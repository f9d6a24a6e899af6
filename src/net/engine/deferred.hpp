// SPDX-License-Identifier: Apache-2.0
#pragma once

// Work that may not happen inside the present call, and should not wait for another event either. It is for objects
// that stand between an engine and its users and have to keep the engine's first rule: no handler is called from inside
// a call. A stream that decrypts, say, is told to go on receiving and has bytes left from before; it hands them on when
// its turn comes.
//
// To be deferred takes no lock and no memory: the object itself is an element of the list.
//
// Thread rule: all of it on the engine's thread.

#include "base/faults.hpp"

#include <memory>

namespace helios::net {

// The place of an object in a list. Alone: it is its own neighbour.
class DeferredLink {
 public:
  DeferredLink(const DeferredLink&) = delete;
  DeferredLink& operator=(const DeferredLink&) = delete;

 protected:
  DeferredLink() = default;
  ~DeferredLink() { unlink(); }

  [[nodiscard]] bool is_alone() const { return next_ == this; }
  void unlink();
  // Requires: `link` is alone.
  void insert_before_this(DeferredLink& link);

  DeferredLink* previous_ = this;
  DeferredLink* next_ = this;

  friend class DeferredQueue;
};

// Lifetime: may be destroyed at any time, inside its own on_turn() too, and is forgotten then.
class Deferred : private DeferredLink {
 public:
  virtual ~Deferred() = default;

  // Once for each Engine::defer(). May defer itself again, and may release whatever there is.
  virtual void on_turn() = 0;

  [[nodiscard]] bool is_deferred() const { return !is_alone(); }
  // Its turn does not come. Harmless when it is not deferred.
  void forget() { unlink(); }

 private:
  friend class DeferredQueue;
};

// What an engine keeps of it.
class DeferredQueue {
 public:
  DeferredQueue() = default;
  ~DeferredQueue() { destroy_disposed(); }  // what is deferred is forgotten
  DeferredQueue(const DeferredQueue&) = delete;
  DeferredQueue& operator=(const DeferredQueue&) = delete;

  // See Engine::defer() and Engine::dispose().
  void add(Deferred& object);
  void dispose(std::unique_ptr<Deferred> object);

  // Whether there is something for the next run().
  [[nodiscard]] bool empty() const { return waiting_.is_alone() && disposed_.is_alone(); }

  // Gives all that wait their turn, then destroys what was disposed of. Those that are deferred meanwhile come the next
  // time. One that throws has had its turn, `faults` is told; see contain().
  void run(base::FaultSink* faults);

 private:
  class List : public DeferredLink {};

  Deferred& take_first(List& list);
  void destroy_disposed();

  List waiting_;
  List disposed_;
};

}  // namespace helios::net
