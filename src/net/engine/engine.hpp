// SPDX-License-Identifier: Apache-2.0
#pragma once

// The event loop of one thread, as operations that complete: accept delivers connections, connect
// delivers a socket, a stream delivers bytes and takes bytes. Whether readiness (epoll) or
// completions (io_uring) stand behind it can hardly be seen from here: docs/adr/0011-two-engines.md.
//
// The two rules that make users simple:
//  - No handler is ever called from inside a call to the engine or to one of its objects. Whatever
//    happens is reported later, from run_once().
//  - What release() was called for (the smart pointers below do it) reports nothing any more, and
//    may be released inside any handler, its own included.
//
// Thread rule: everything belongs to the thread that calls run_once(), except mailbox().post().
// Lifetime: handlers outlive what reports to them. The engine is destroyed last; it closes what is
// still open.

#include "base/executor.hpp"
#include "base/faults.hpp"
#include "config/config.hpp"
#include "net/engine/deferred.hpp"
#include "net/engine/endpoint.hpp"
#include "net/engine/fd.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace helios::net {

// The largest chunk that on_received() delivers. All streams of an engine share what they receive
// into: an idle connection holds no buffer.
inline constexpr std::size_t kReceiveBufferBytes = 64 * 1024;

// A stream with more unsent bytes than the high mark is congested until no more than the low mark
// are left.
inline constexpr std::size_t kHighWaterBytes = 256 * 1024;
inline constexpr std::size_t kLowWaterBytes = 64 * 1024;

// How long a closing stream waits for a peer that takes no byte, and then for the peer's own end.
inline constexpr std::int64_t kFlushTimeoutMs = 30'000;
inline constexpr std::int64_t kPeerEndTimeoutMs = 2'000;

// How long accepting rests when the process has no descriptor left.
inline constexpr std::int64_t kAcceptPauseMs = 100;

// Owned by the engine, used through one of the smart pointers below.
class Releasable {
 public:
  virtual void release() = 0;

 protected:
  ~Releasable() = default;
};

struct Releaser {
  void operator()(Releasable* object) const { object->release(); }
};

class StreamHandler {
 public:
  virtual ~StreamHandler() = default;

  // `bytes` is valid during the call only.
  virtual void on_received(std::string_view bytes) = 0;
  // The peer will send nothing more. Sending goes on. Nothing but on_lost and on_drained follows.
  virtual void on_eof() = 0;
  // The connection broke; `error` is an errno value. Nothing follows.
  virtual void on_lost(int error) = 0;
  // The stream was congested and is not any more.
  virtual void on_drained() = 0;
};

// A connection that a stream has let go of, as it stands: whoever goes on with it first sends `unsent`, and takes
// `unread` for the first bytes of the peer.
struct Detached {
  Fd connection;       // non-blocking; no engine knows it any more
  std::string unread;  // was received, and not reported
  std::string unsent;  // was given to send(), and the kernel has not taken it
  int error =
      0;  // the connection broke: an errno value; what is unsent is lost then. 0 = it did not
};

class DetachHandler {
 public:
  virtual ~DetachHandler() = default;
  // Once. The stream may be released inside.
  virtual void on_detached(Detached connection) = 0;
};

// One connected socket; or a stream that stands on another one and changes what passes, for which the same holds. Such a
// layer has the other one, is its StreamHandler, and needs Engine::defer() for what it may not report at once.
class Stream : public Releasable {
 public:
  // From now on `handler` is told, from the next byte on that was not reported yet. Everything else stays as it is,
  // pausing too. May be called inside a handler, the one that is replaced included. Requires: no on_eof() and no
  // on_lost() was reported.
  virtual void report_to(StreamHandler& handler) = 0;

  // Takes all of `pieces`, which are valid during the call only: what is not offered to the kernel at
  // once, or not taken by it, is copied and sent later. What is sent in one round of run_once() is on
  // its way when the next one begins. There is no limit here: ask congested() and stop producing.
  virtual void send(std::span<const std::string_view> pieces) = 0;

  [[nodiscard]] virtual std::size_t pending_bytes() const = 0;
  [[nodiscard]] virtual bool congested() const = 0;

  // A new stream receives. Pausing may be done as often as wanted; it costs no system call.
  virtual void pause_receiving() = 0;
  virtual void resume_receiving() = 0;

  // Tells the peer that nothing more comes, once everything sent so far is on its way.
  virtual void finish_sending() = 0;

  // Takes the connection out of the stream, for another engine or process: from now on nothing is reported to its
  // StreamHandler, and on_detached() comes when the kernel has finished what the stream has asked of it. Until then the
  // stream is released as ever, which closes the connection; afterwards nothing but release() is left to do with it.
  // Bytes that nobody has received yet, and the peer's end, show themselves to whoever goes on with the connection.
  // Requires: neither finish_sending() nor detach() was called, and on_lost() was not reported. The stream is an
  // engine's own: what a layer knows does not go with a descriptor. Lifetime: `handler` outlives the stream.
  virtual void detach(DetachHandler& handler) = 0;

  // Like release(), but what is unsent is sent first, and the peer is given the time to read it.
  // The engine does that on its own, within the time limits above. See close_when_flushed().
  virtual void linger() = 0;

 protected:
  ~Stream() = default;
};
using StreamPtr = std::unique_ptr<Stream, Releaser>;

// Where there is no memory for that, it is closed at once, by an exception too.
inline void close_when_flushed(StreamPtr stream) {
  stream->linger();
  static_cast<void>(stream.release());
}

// When a broken connection is reported while receiving is paused.
enum class LossReport {
  at_once,         // what was not received yet is worth nothing without the connection
  after_received,  // first what was received before, so not before receiving is resumed
};

class AcceptHandler {
 public:
  virtual ~AcceptHandler() = default;
  // `peer` is empty where the connection was lost before anybody could ask.
  virtual void on_accepted(Fd connection, const Endpoint& peer) = 0;
  // Accepting rests for kAcceptPauseMs because of `error` (out of descriptors or memory).
  virtual void on_accept_paused(int error) = 0;
};

class ConnectHandler {
 public:
  virtual ~ConnectHandler() = default;
  // One of the two, once. The socket is ready for Engine::adopt().
  virtual void on_connected(Fd connection) = 0;
  virtual void on_connect_failed(int error) = 0;
};

// An accept or connect under way; releasing it ends it.
class Operation : public Releasable {
 protected:
  ~Operation() = default;
};
using OperationPtr = std::unique_ptr<Operation, Releaser>;

// Names one timer for ever; the default value names none.
struct TimerId {
  std::int64_t deadline_ns = 0;
  std::uint64_t sequence = 0;
  auto operator<=>(const TimerId&) const = default;
};

class Engine {
 public:
  // The kernel need not set up a timer for such a wait.
  static constexpr std::int64_t kNoLimit = -1;

  virtual ~Engine() = default;

  // Makes a stream of a connected, non-blocking socket.
  [[nodiscard]] virtual StreamPtr adopt(Fd connection, StreamHandler& handler,
                                        LossReport loss_report) = 0;

  // Accepts connections of a listening, non-blocking socket until released.
  [[nodiscard]] virtual OperationPtr accept(Fd listening, AcceptHandler& handler) = 0;

  // Connects a new socket. A Unix socket whose server is busy fails with EAGAIN: try again later.
  [[nodiscard]] virtual OperationPtr connect(const Endpoint& to, ConnectHandler& handler) = 0;

  // Runs `task` once, not before `delay_ms` from now; accurate to about a millisecond.
  virtual TimerId start_timer(std::int64_t delay_ms, base::Task task) = 0;
  // Does nothing when the timer has run or was cancelled already.
  virtual void cancel_timer(TimerId id) = 0;

  // Calls `object.on_turn()` once, later in this round of run_once(), behind everything else that the round reports; in the
  // next one, which does not wait, when called by an on_turn() or outside run_once(). Neither a lock nor memory is taken.
  // Harmless when its turn is to come already. An object that is destroyed before is forgotten.
  virtual void defer(Deferred& object) = 0;
  // Destroys `object` when all turns of the round are over, so that it may be let go inside its own calls; what is left
  // goes with the engine. Its turn does not come any more. Requires: it holds nothing of the engine's.
  virtual void dispose(std::unique_ptr<Deferred> object) = 0;

  // What timers, tasks of the mailbox and handlers throw is reported there, and the loop goes on. `faults` outlives
  // the engine. Without a call it goes to whoever called run_once().
  virtual void report_faults_to(base::FaultSink& faults) = 0;

  // Tasks posted here run inside run_once(). A post ends its wait.
  [[nodiscard]] virtual base::Executor& mailbox() = 0;

  // Waits for events, at most `max_wait_ms` (kNoLimit: as long as it takes), and reports them. Returns
  // the nanoseconds that were spent working, not waiting; what the kernel does of an io_uring's work
  // is part of the wait.
  virtual std::int64_t run_once(std::int64_t max_wait_ms) = 0;

  // Memory taken by what was sent and the kernel has not taken yet, of all streams.
  [[nodiscard]] virtual std::size_t unsent_bytes() const = 0;

  // Streams that are still being flushed after linger().
  [[nodiscard]] virtual std::size_t lingering() const = 0;
};

enum class EngineKind { io_uring, epoll };

[[nodiscard]] std::string_view to_string(EngineKind kind);

struct ChosenEngine {
  EngineKind kind = EngineKind::epoll;
  std::string reason;  // why it is not io_uring, where nobody asked for epoll; otherwise empty
};

// Tries what the kernel offers, where that matters. A build with ThreadSanitizer chooses epoll unless
// io_uring is asked for. Errors: unavailable, when io_uring is asked for and cannot be had.
[[nodiscard]] base::Result<ChosenEngine> choose_engine(config::EngineChoice wanted);

// Errors: unavailable, when the kernel refuses.
[[nodiscard]] base::Result<std::unique_ptr<Engine>> make_engine(EngineKind kind);
[[nodiscard]] base::Result<std::unique_ptr<Engine>> make_epoll_engine();

}  // namespace helios::net
