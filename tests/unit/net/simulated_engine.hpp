// SPDX-License-Identifier: Apache-2.0
#pragma once

// An event loop without sockets and without time of its own: peers are scripts of the test, which says what they send and
// when time passes. It keeps the two rules of engine.hpp, so what runs on it runs on any engine, and runs the same each
// time.

#include "net/engine/engine.hpp"
#include "support/fake_clock.hpp"
#include "support/manual_executor.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

namespace helios::net {

// One end of a connection; the test plays the other one.
class SimulatedStream final : public Stream {
 public:
  SimulatedStream(StreamHandler& to, LossReport loss_report)
      : handler_(&to), loss_report_(loss_report) {}

  // ---- The peer
  void says(std::string_view bytes) { incoming_ += bytes; }
  void ends() { is_ended_ = true; }
  void breaks() { is_broken_ = true; }
  // What the proxy sends next cannot be sent, for want of memory.
  void starves() { is_starving_ = true; }
  // It reads no more than so many bytes until it is told to go on.
  void reads(std::size_t bytes) { window_ = bytes; }
  [[nodiscard]] const std::string& got() const { return got_; }
  // The other end says nothing more, or is gone.
  [[nodiscard]] bool is_finished() const { return is_finished_ || is_closed(); }
  [[nodiscard]] bool is_closed() const { return handler_ == nullptr && unsent_.empty(); }
  [[nodiscard]] bool is_lingering() const { return handler_ == nullptr && !unsent_.empty(); }

  // ---- The engine. One thing that may happen does; false: nothing may. At most `cut` bytes at a time.
  bool step(std::size_t cut) { return hand_over_all() || take() || deliver(cut) || end(); }

  // ---- Stream
  void report_to(StreamHandler& handler) override { handler_ = &handler; }
  void send(std::span<const std::string_view> pieces) override {
    if (std::exchange(is_starving_, false)) throw std::bad_alloc();
    for (const auto piece : pieces) unsent_ += piece;
    hand_over();
    is_congested_ |= unsent_.size() > kHighWaterBytes;
  }
  [[nodiscard]] std::size_t pending_bytes() const override { return unsent_.size(); }
  [[nodiscard]] bool congested() const override { return is_congested_; }
  void pause_receiving() override { is_receiving_ = false; }
  void resume_receiving() override { is_receiving_ = true; }
  void finish_sending() override { is_finished_ = true; }
  // All that the peer has said was read already.
  void detach(DetachHandler& taker) override {
    handler_ = nullptr;
    taker_ = &taker;
  }
  void linger() override { handler_ = nullptr; }
  void release() override {
    handler_ = nullptr;
    taker_ = nullptr;
    unsent_.clear();
  }

 private:
  // What the peer takes is on its way at once.
  bool hand_over() {
    const std::size_t taken = std::min(window_, unsent_.size());
    got_ += unsent_.substr(0, taken);
    unsent_.erase(0, taken);
    window_ -= taken;
    return taken > 0;
  }
  bool hand_over_all() {
    if (taker_ == nullptr) return false;
    Detached result;
    result.unread = std::exchange(incoming_, {});
    result.unsent = std::exchange(unsent_, {});
    result.error = std::exchange(is_broken_, false) ? ECONNRESET : 0;
    std::exchange(taker_, nullptr)->on_detached(std::move(result));
    return true;
  }
  bool take() {
    if (!hand_over()) return false;
    if (is_congested_ && unsent_.size() <= kLowWaterBytes && handler_ != nullptr) {
      is_congested_ = false;
      handler_->on_drained();
    }
    return true;
  }
  bool deliver(std::size_t cut) {
    if (handler_ == nullptr || !is_receiving_ || incoming_.empty()) return false;
    const std::string bytes = incoming_.substr(0, cut);
    incoming_.erase(0, bytes.size());
    handler_->on_received(bytes);
    return true;
  }
  bool end() {
    if (handler_ == nullptr) return false;
    const bool is_read = is_receiving_ && incoming_.empty();
    if (is_broken_ && (is_read || loss_report_ == LossReport::at_once)) {
      is_broken_ = false;
      handler_->on_lost(ECONNRESET);
      return true;
    }
    if (!is_read || !std::exchange(is_ended_, false)) return false;
    handler_->on_eof();
    return true;
  }

  StreamHandler* handler_;  // null: it was let go
  DetachHandler* taker_ = nullptr;
  LossReport loss_report_;
  std::string incoming_;
  std::string unsent_;
  std::string got_;
  std::size_t window_ = std::string::npos;
  bool is_receiving_ = true;
  bool is_congested_ = false;
  bool is_finished_ = false;
  bool is_ended_ = false;
  bool is_broken_ = false;
  bool is_starving_ = false;
};

class SimulatedEngine final : public Engine {
 public:
  explicit SimulatedEngine(test::FakeClock& clock) : clock_(clock) {}

  // Streams in the order in which they came to be.
  std::vector<std::unique_ptr<SimulatedStream>> streams;
  // The most bytes that arrive at a time.
  std::size_t cut = kReceiveBufferBytes;

  // Until nothing happens any more without the test.
  void settle() {
    while (round()) {
    }
  }
  void pass_ms(std::int64_t ms) {
    clock_.advance_ms(ms);
    while (run_due_timer()) settle();
  }
  // The first timer that is due. False: none is.
  bool run_due_timer() {
    if (timers_.empty() || timers_.begin()->first.deadline_ns > clock_.monotonic_ns()) return false;
    auto timer = timers_.extract(timers_.begin());
    contain(base::FaultPlace::timer, timer.mapped());
    return true;
  }
  // The attempt to connect that is under way, the last one that was begun, succeeds, or fails.
  void connect_dialled() {
    auto* handler = std::exchange(present_dial()->handler, nullptr);
    contain(base::FaultPlace::network, [&] { handler->on_connected(Fd()); });
  }
  void refuse_dialled() {
    auto* handler = std::exchange(present_dial()->handler, nullptr);
    contain(base::FaultPlace::network, [&] { handler->on_connect_failed(ECONNREFUSED); });
  }
  [[nodiscard]] bool is_dialling() const { return present_dial() != nullptr; }
  [[nodiscard]] std::string dialled() const { return dials_.back()->to.text(); }
  // Somebody connects to where it listens.
  void accept_from(const Endpoint& peer) { acceptor_->handler->on_accepted(Fd(), peer); }
  [[nodiscard]] bool is_listening() const {
    return acceptor_ != nullptr && acceptor_->handler != nullptr;
  }
  // The last round has done something, or the next one will.
  [[nodiscard]] bool is_busy() const { return is_busy_ || tasks_.size() > 0 || !deferred_.empty(); }
  [[nodiscard]] std::size_t timers() const { return timers_.size(); }

  // ---- Engine
  StreamPtr adopt(Fd, StreamHandler& handler, LossReport loss_report) override {
    streams.push_back(std::make_unique<SimulatedStream>(handler, loss_report));
    return StreamPtr(streams.back().get());
  }
  OperationPtr accept(Fd, AcceptHandler& handler) override {
    acceptor_ = std::make_unique<Acceptor>();
    acceptor_->handler = &handler;
    return OperationPtr(acceptor_.get());
  }
  OperationPtr connect(const Endpoint& to, ConnectHandler& handler) override {
    dials_.push_back(std::make_unique<Dial>());
    dials_.back()->handler = &handler;
    dials_.back()->to = to;
    return OperationPtr(dials_.back().get());
  }
  TimerId start_timer(std::int64_t delay_ms, base::Task task) override {
    const TimerId id{clock_.monotonic_ns() + delay_ms * 1'000'000, ++last_timer_};
    timers_.emplace(id, std::move(task));
    return id;
  }
  void cancel_timer(TimerId id) override { timers_.erase(id); }
  void defer(Deferred& object) override { deferred_.add(object); }
  void dispose(std::unique_ptr<Deferred> object) override { deferred_.dispose(std::move(object)); }
  void report_faults_to(base::FaultSink& faults) override { faults_ = &faults; }
  base::Executor& mailbox() override { return tasks_; }
  // One round. There is no time to wait for.
  std::int64_t run_once(std::int64_t) override {
    round();
    return 0;
  }
  [[nodiscard]] std::size_t unsent_bytes() const override {
    std::size_t bytes = 0;
    for (const auto& stream : streams) bytes += stream->pending_bytes();
    return bytes;
  }
  [[nodiscard]] std::size_t lingering() const override {
    return static_cast<std::size_t>(
        std::ranges::count_if(streams, [](const auto& stream) { return stream->is_lingering(); }));
  }

 private:
  // Each stream and the oldest task have their turn. False: nothing happened.
  bool round() {
    bool has_moved = false;
    contain(base::FaultPlace::mailbox, [&] { has_moved |= tasks_.run_one(); });
    for (std::size_t i = 0; i < streams.size(); ++i) {
      contain(base::FaultPlace::network, [&] { has_moved |= streams[i]->step(cut); });
    }
    if (!deferred_.empty()) {
      deferred_.run(faults_);
      has_moved = true;
    }
    is_busy_ = has_moved;
    return has_moved;
  }
  template <typename Work>
  void contain(base::FaultPlace place, Work&& work) {
    base::contain(faults_, place, std::forward<Work>(work));
  }

  struct Dial final : Operation {
    ConnectHandler* handler = nullptr;  // null: it was let go
    Endpoint to;
    void release() override { handler = nullptr; }
  };
  struct Acceptor final : Operation {
    AcceptHandler* handler = nullptr;  // null: it was let go
    void release() override { handler = nullptr; }
  };

  // Null: none is under way.
  [[nodiscard]] Dial* present_dial() const {
    const auto found = std::find_if(dials_.rbegin(), dials_.rend(),
                                    [](const auto& dial) { return dial->handler != nullptr; });
    return found == dials_.rend() ? nullptr : found->get();
  }

  test::FakeClock& clock_;
  std::vector<std::unique_ptr<Dial>> dials_;
  std::unique_ptr<Acceptor> acceptor_;
  std::map<TimerId, base::Task> timers_;
  test::ManualExecutor tasks_;
  DeferredQueue deferred_;
  base::FaultSink* faults_ = nullptr;
  bool is_busy_ = false;
  std::uint64_t last_timer_ = 0;
};

}  // namespace helios::net
