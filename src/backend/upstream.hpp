// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where a session gets its link from: a server pool, or a fake in tests. Each session has an Upstream of its own, which
// knows who it is.
//
// Flow: claim(); then, as an event of its own and never from inside a call, the session is granted a link or is told why
// there is none. It has that link until give_up().
//
// An event concerns one session, and at most one link. A grant is an event by itself, also where it becomes
// possible by what another session does.
//
// Thread rule: the worker's.

namespace helios::backend {

class Upstream {
 public:
  // The session wants a link. Requires: it has none, and has not asked before.
  virtual void claim() = 0;
  // It wants none any more. What it has sent in the present event still goes out, then the connection is closed; nothing
  // more is reported. The Link lives as long as the session all the same. May be called more than once, and
  // without a claim.
  virtual void give_up() = 0;

 protected:
  ~Upstream() = default;
};

}  // namespace helios::backend
