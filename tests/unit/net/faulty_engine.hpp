// SPDX-License-Identifier: Apache-2.0
#pragma once

// An event loop without sockets: the test reports what happens. Its n-th call throws.

#include "net/engine/engine.hpp"
#include "support/manual_executor.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace helios::net {

// Counts the calls that may fail for want of memory.
class FaultPlan {
 public:
  // `allowed` calls pass, the next `failures` throw.
  FaultPlan(std::size_t allowed, std::size_t failures) : allowed_(allowed), failures_(failures) {}

  void pass() {
    if (allowed_ > 0) {
      --allowed_;
    } else if (thrown_ < failures_) {
      ++thrown_;
      throw std::runtime_error("planted");
    }
  }
  [[nodiscard]] std::size_t thrown() const { return thrown_; }

 private:
  std::size_t allowed_;
  std::size_t failures_;
  std::size_t thrown_ = 0;
};

class FaultyStream final : public Stream {
 public:
  FaultyStream(FaultPlan& plan, StreamHandler& to) : handler(&to), plan_(plan) {}

  void report_to(StreamHandler& to) override { handler = &to; }
  void send(std::span<const std::string_view> pieces) override {
    plan_.pass();
    for (const auto piece : pieces) {
      sent += piece;
    }
  }
  [[nodiscard]] std::size_t pending_bytes() const override { return 0; }
  [[nodiscard]] bool congested() const override { return false; }
  void pause_receiving() override {}
  void resume_receiving() override { plan_.pass(); }
  void finish_sending() override { plan_.pass(); }
  void detach(DetachHandler&) override { plan_.pass(); }
  void linger() override {
    plan_.pass();
    handler = nullptr;
  }
  void release() override { handler = nullptr; }

  std::string sent;
  StreamHandler* handler;  // null: it was let go

 private:
  FaultPlan& plan_;
};

class FaultyEngine final : public Engine {
 public:
  explicit FaultyEngine(FaultPlan& plan) : plan_(plan) {}

  StreamPtr adopt(Fd, StreamHandler& handler, LossReport) override {
    plan_.pass();
    streams.push_back(std::make_unique<FaultyStream>(plan_, handler));
    return StreamPtr(streams.back().get());
  }
  OperationPtr accept(Fd, AcceptHandler&) override { return nullptr; }
  OperationPtr connect(const Endpoint&, ConnectHandler& handler) override {
    plan_.pass();
    dials.push_back(std::make_unique<Dial>());
    dials.back()->handler = &handler;
    return OperationPtr(dials.back().get());
  }
  TimerId start_timer(std::int64_t, base::Task task) override {
    plan_.pass();
    const TimerId id{1, ++last_timer_};
    timers.emplace(id, std::move(task));
    return id;
  }
  void cancel_timer(TimerId id) override { timers.erase(id); }
  void defer(Deferred& object) override { deferred.add(object); }
  void dispose(std::unique_ptr<Deferred> object) override { deferred.dispose(std::move(object)); }
  void report_faults_to(base::FaultSink&) override {}
  base::Executor& mailbox() override { return tasks; }
  std::int64_t run_once(std::int64_t) override { return 0; }
  [[nodiscard]] std::size_t unsent_bytes() const override { return 0; }
  [[nodiscard]] std::size_t lingering() const override { return 0; }

  struct Dial final : Operation {
    ConnectHandler* handler = nullptr;  // null: it was let go
    void release() override { handler = nullptr; }
  };

  std::vector<std::unique_ptr<FaultyStream>> streams;
  std::vector<std::unique_ptr<Dial>> dials;
  std::map<TimerId, base::Task> timers;
  test::ManualExecutor tasks;
  DeferredQueue deferred;

 private:
  FaultPlan& plan_;
  std::uint64_t last_timer_ = 0;
};

}  // namespace helios::net
