// SPDX-License-Identifier: Apache-2.0
#pragma once

// Makes the n-th call of something throw while a session works: operator new, and what a worker gives its
// sessions (clock, log, executors, plugins). Whoever counts n up until nothing is thrown any more has had a
// fault at every such place of a conversation.

#include "base/clock.hpp"
#include "base/executor.hpp"
#include "base/log.hpp"
#include "session_harness.hpp"
#include "support/allocation_counter.hpp"

#include <cstddef>
#include <new>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace helios::session::test {

// One at a time.
class Saboteur {
 public:
  // `allowed` calls pass, the next throws; behind it again `between` pass and the next throws, until `failures` have
  // thrown.
  struct Plan {
    std::size_t allowed = 0;
    std::size_t failures = 1;
    std::size_t between = 0;
    bool of_memory = false;  // operator new; otherwise the stand-ins
  };

  explicit Saboteur(Plan plan) : plan_(plan), left_(plan.allowed) {
    present_ = this;
    if (plan.of_memory) helios::test::set_allocation_hook([] { present_->pass(true); });
  }
  ~Saboteur() {
    helios::test::set_allocation_hook(nullptr);
    present_ = nullptr;
  }
  Saboteur(const Saboteur&) = delete;
  Saboteur& operator=(const Saboteur&) = delete;

  // The session is working, and not the test; `is_home`: on its own thread.
  void set_working(bool is_working, bool is_home = true) {
    is_working_ = is_working;
    is_home_ = is_home;
  }
  [[nodiscard]] bool is_working() const { return is_working_; }
  [[nodiscard]] bool is_home() const { return is_home_; }
  [[nodiscard]] std::size_t thrown() const { return thrown_; }

  void pass(bool is_memory = false) {
    if (!is_working_ || is_memory != plan_.of_memory || thrown_ == plan_.failures) return;
    if (left_ > 0) {
      --left_;
      return;
    }
    ++thrown_;
    left_ = plan_.between;
    if (is_memory) throw std::bad_alloc();
    throw std::runtime_error("planted");
  }

 private:
  static inline Saboteur* present_ = nullptr;
  Plan plan_;
  std::size_t left_;
  std::size_t thrown_ = 0;
  bool is_working_ = false;
  bool is_home_ = true;
};

// The test's own work, in the middle of the session's.
class Respite {
 public:
  explicit Respite(Saboteur& saboteur) : saboteur_(saboteur), was_working_(saboteur.is_working()) {
    saboteur.set_working(false, saboteur.is_home());
  }
  ~Respite() { saboteur_.set_working(was_working_, saboteur_.is_home()); }
  Respite(const Respite&) = delete;
  Respite& operator=(const Respite&) = delete;

 private:
  Saboteur& saboteur_;
  bool was_working_;
};

class FaultyClock final : public base::Clock {
 public:
  FaultyClock(const base::Clock& inner, Saboteur& saboteur) : inner_(inner), saboteur_(saboteur) {}
  [[nodiscard]] std::int64_t monotonic_ns() const override {
    saboteur_.pass();
    return inner_.monotonic_ns();
  }
  [[nodiscard]] std::int64_t wall_ms() const override { return inner_.wall_ms(); }

 private:
  const base::Clock& inner_;
  Saboteur& saboteur_;
};

class FaultyLog final : public base::Log {
 public:
  FaultyLog(base::Log& inner, Saboteur& saboteur) : inner_(inner), saboteur_(saboteur) {}
  void write(base::LogLevel level, std::string_view line) override {
    saboteur_.pass();
    const Respite respite(saboteur_);
    inner_.write(level, line);
  }
  [[nodiscard]] bool enabled(base::LogLevel level) const override { return inner_.enabled(level); }

 private:
  base::Log& inner_;
  Saboteur& saboteur_;
};

// What another thread posts arrives: it would be lost otherwise, and not by the session. So does what pending hooks
// post, with `is_reliable`.
class FaultyExecutor final : public base::Executor {
 public:
  FaultyExecutor(base::Executor& inner, Saboteur& saboteur, bool is_reliable = false)
      : inner_(inner), saboteur_(saboteur), is_reliable_(is_reliable) {}
  void post(base::Task task) override {
    if (saboteur_.is_home() && !is_reliable_) saboteur_.pass();
    const Respite respite(saboteur_);
    inner_.post(std::move(task));
  }

 private:
  base::Executor& inner_;
  Saboteur& saboteur_;
  bool is_reliable_;
};

}  // namespace helios::session::test
