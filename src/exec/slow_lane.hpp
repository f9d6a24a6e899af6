// SPDX-License-Identifier: Apache-2.0
#pragma once

// A few threads for work that must not run on an event loop: hook calls that outlived their slice,
// exclusive runs, long parses.
//
// Work comes in queues, and the threads serve the queues in turn, one task each; a queue never has
// more than threads - 1 tasks running (at least one). So whoever fills its own queue with slow tasks
// makes others wait for one task at most.
//
// Flow: 1 construct: the threads start; 2 make_queue() per user, or post() for the common queue;
// 3 stop(), or destroy.
//
// Thread rule: everything but stop() and destruction may be called from any thread.

#include "base/executor.hpp"
#include "base/faults.hpp"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace helios::exec {

class SlowLane : public base::Executor {
 private:
  struct QueueState;

 public:
  // One user's queue. Tasks start in the order in which they were posted, except for post_first();
  // several may run at once. Destroying it destroys its waiting tasks; those that run are not waited
  // for. May outlive the lane: posting is then the same as after stop().
  class Queue : public base::Executor {
   public:
    ~Queue() override;
    void post(base::Task task) override;

    // Ahead of everything that waits in this queue: for a task that holds up others.
    void post_first(base::Task task);

   private:
    friend class SlowLane;
    explicit Queue(std::shared_ptr<QueueState> state);

    std::shared_ptr<QueueState> state_;
  };

  // Starts `threads` threads (at least one). A task that throws is destroyed, `faults` is told, and the next one
  // runs. `faults` outlives the lane; see contain().
  explicit SlowLane(std::size_t threads, base::FaultSink* faults = nullptr);
  ~SlowLane() override;  // stop()

  [[nodiscard]] std::unique_ptr<Queue> make_queue();

  // Posts to the lane's common queue.
  void post(base::Task task) override;

  // Waits for the tasks that run, then destroys those that wait. What is posted from then on is
  // destroyed at once. Must not be called by a task.
  void stop();

  [[nodiscard]] std::size_t threads() const { return thread_count_; }

  // Tasks waiting in all queues together.
  [[nodiscard]] std::size_t waiting() const;

 private:
  struct Core;

  static void enqueue(QueueState& queue, base::Task task, bool first);
  static void serve(Core& core);

  std::shared_ptr<Core> core_;
  std::unique_ptr<Queue> common_;
  std::size_t thread_count_;
  std::vector<std::thread> threads_;
};

}  // namespace helios::exec
