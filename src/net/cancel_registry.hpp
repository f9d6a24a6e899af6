// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which session, on which worker, is meant by the key of a CancelRequest. One per process: the request
// comes over a connection of its own, which may land on any worker.

#include "base/executor.hpp"
#include "pgwire/cancel_request.hpp"

#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace helios::net {

// Unique among the sessions of one worker, never used again.
using SessionId = std::uint64_t;

// What owns sessions: a worker.
class CancelSink {
 public:
  virtual ~CancelSink() = default;

  // Cancels what the session does, if it is still there. `done` is run, on any thread, when the
  // server has the request or there is nothing to do; destroyed unrun when the worker ends first.
  // Thread rule: any thread.
  virtual void cancel(SessionId session, base::Task done) = 0;
};

// Thread rule: any thread. Used when sessions begin and end, so one mutex is enough.
class CancelRegistry {
 public:
  // A key that is there already is taken over: the server gives a key again only after the session
  // that had it has ended. Lifetime: `sink` outlives the entry.
  void add(const pgwire::CancelKey& key, CancelSink& sink, SessionId session);

  // Does nothing when the key belongs to somebody else by now.
  void remove(const pgwire::CancelKey& key, const CancelSink& sink, SessionId session);

  // Returns whether the key is known; `done` is as for CancelSink::cancel() then, and destroyed
  // otherwise.
  bool deliver(const pgwire::CancelKey& key, base::Task done);

  [[nodiscard]] std::size_t size() const;

 private:
  struct Owner {
    CancelSink* sink = nullptr;
    SessionId session = 0;
  };

  mutable std::mutex mutex_;
  std::unordered_map<pgwire::CancelKey, Owner> owners_;  // guarded by mutex_
};

}  // namespace helios::net
