// SPDX-License-Identifier: Apache-2.0
#include "exec/slow_lane.hpp"

#include <algorithm>
#include <utility>

#include <pthread.h>

namespace helios::exec {

// Shared by the lane, its threads and its queues, so that each may end first.
struct SlowLane::Core {
  mutable std::mutex mutex;
  std::condition_variable work;
  // Queues that have a task which may start now; each at most once. Served from the front.
  std::deque<std::shared_ptr<QueueState>> ready;
  std::vector<std::weak_ptr<QueueState>> queues;
  std::size_t max_running_per_queue = 1;
  std::size_t waiting = 0;
  bool stopped = false;
  base::FaultSink* faults = nullptr;
};

// Guarded by core->mutex.
struct SlowLane::QueueState : std::enable_shared_from_this<QueueState> {
  std::shared_ptr<Core> core;
  std::deque<base::Task> tasks;
  std::size_t running = 0;
  bool in_ready = false;
  bool closed = false;

  // Puts the queue in line when it has something that may start. Returns whether it did.
  bool line_up() {
    if (in_ready || tasks.empty() || running >= core->max_running_per_queue) return false;
    core->ready.push_back(shared_from_this());
    in_ready = true;
    return true;
  }

  // Takes all waiting tasks out. The caller destroys them without the lock: a task's destructor may
  // post.
  std::deque<base::Task> take_all() {
    core->waiting -= tasks.size();
    return std::exchange(tasks, {});
  }
};

SlowLane::Queue::Queue(std::shared_ptr<QueueState> state) : state_(std::move(state)) {}

SlowLane::Queue::~Queue() {
  std::deque<base::Task> dropped;
  const std::lock_guard lock(state_->core->mutex);
  state_->closed = true;
  dropped = state_->take_all();
}

void SlowLane::Queue::post(base::Task task) { enqueue(*state_, std::move(task), false); }

void SlowLane::Queue::post_first(base::Task task) { enqueue(*state_, std::move(task), true); }

SlowLane::SlowLane(std::size_t threads, base::FaultSink* faults)
    : core_(std::make_shared<Core>()), thread_count_(std::max<std::size_t>(threads, 1)) {
  core_->faults = faults;
  core_->max_running_per_queue = std::max<std::size_t>(thread_count_ - 1, 1);
  common_ = make_queue();
  for (std::size_t i = 0; i < thread_count_; ++i)
    threads_.emplace_back([core = core_] {
      pthread_setname_np(pthread_self(), "slow-lane");
      serve(*core);
    });
}

SlowLane::~SlowLane() { stop(); }

std::unique_ptr<SlowLane::Queue> SlowLane::make_queue() {
  auto state = std::make_shared<QueueState>();
  state->core = core_;
  const std::lock_guard lock(core_->mutex);
  std::erase_if(core_->queues, [](const auto& queue) { return queue.expired(); });
  core_->queues.push_back(state);
  return std::unique_ptr<Queue>(new Queue(std::move(state)));
}

void SlowLane::post(base::Task task) { common_->post(std::move(task)); }

void SlowLane::enqueue(QueueState& queue, base::Task task, bool first) {
  Core& core = *queue.core;
  // A refused task is destroyed by the caller's frame, after the lock.
  const std::lock_guard lock(core.mutex);
  if (core.stopped || queue.closed) return;
  if (first)
    queue.tasks.push_front(std::move(task));
  else
    queue.tasks.push_back(std::move(task));
  ++core.waiting;
  if (queue.line_up()) core.work.notify_one();
}

void SlowLane::serve(Core& core) {
  std::unique_lock lock(core.mutex);
  for (;;) {
    core.work.wait(lock, [&] { return core.stopped || !core.ready.empty(); });
    if (core.stopped) return;
    const std::shared_ptr<QueueState> queue = std::move(core.ready.front());
    core.ready.pop_front();
    queue->in_ready = false;
    if (queue->tasks.empty()) continue;  // its user has gone since it lined up
    base::Task task = std::move(queue->tasks.front());
    queue->tasks.pop_front();
    --core.waiting;
    ++queue->running;
    if (queue->line_up()) core.work.notify_one();
    lock.unlock();
    base::contain(core.faults, base::FaultPlace::slow_lane, task);
    task = nullptr;
    lock.lock();
    --queue->running;
    queue->line_up();  // this thread looks next, so nobody has to be woken
  }
}

void SlowLane::stop() {
  {
    const std::lock_guard lock(core_->mutex);
    core_->stopped = true;
    core_->work.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();

  std::vector<std::deque<base::Task>> dropped;
  const std::lock_guard lock(core_->mutex);
  core_->ready.clear();
  for (const auto& weak : core_->queues)
    if (const auto queue = weak.lock()) dropped.push_back(queue->take_all());
}

std::size_t SlowLane::waiting() const {
  const std::lock_guard lock(core_->mutex);
  return core_->waiting;
}

}  // namespace helios::exec
