// SPDX-License-Identifier: Apache-2.0
#include "plugins/compile_guard.hpp"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

namespace helios::plugins {

namespace {

constexpr int kLowestPriority = 19;

using Compiled = base::Result<std::unique_ptr<WasmModule>>;

// Shared by the thread that compiles and the one that waits.
struct Job {
  std::mutex mutex;
  std::condition_variable ended;
  std::optional<Compiled> result;
  pid_t thread = 0;  // 0: it has not begun yet
  bool is_abandoned = false;
};

void lower_priority(pid_t thread) {
  setpriority(PRIO_PROCESS, static_cast<id_t>(thread), kLowestPriority);
}

// Nobody above would catch anything.
Compiled compile(const WasmEngine& engine, const std::string& binary) {
  try {
    return engine.compile(binary);
  } catch (const std::exception& error) {
    return base::fail(
        base::Errc::unavailable,
        std::string("cannot be compiled, for a fault inside the proxy: ") + error.what());
  }
}

void run(Job& job, const WasmEngine& engine, const std::string& binary) {
  pthread_setname_np(pthread_self(), "wasm-compile");
  {
    const std::lock_guard lock(job.mutex);
    job.thread = gettid();
    if (job.is_abandoned) lower_priority(job.thread);
  }
  auto result = compile(engine, binary);
  const std::lock_guard lock(job.mutex);
  job.result = std::move(result);
  job.ended.notify_one();
}

}  // namespace

base::Result<std::unique_ptr<WasmModule>> CompileGuard::compile(
    std::shared_ptr<const WasmEngine> engine, std::string binary, std::chrono::milliseconds limit) {
  if (is_busy_->exchange(true))
    return base::fail(base::Errc::unavailable,
                      "cannot be compiled yet: an earlier module that took too long still is");
  auto job = std::make_shared<Job>();
  std::thread([job, engine = std::move(engine), binary = std::move(binary),
               busy = is_busy_]() mutable {
    run(*job, *engine, binary);
    // Before others may go on: whoever waits for that finds nothing of this one left.
    job.reset();
    engine.reset();
    busy->store(false);
  }).detach();

  std::unique_lock lock(job->mutex);
  if (job->ended.wait_for(lock, limit, [&] { return job->result.has_value(); })) {
    Compiled result = std::move(*job->result);
    lock.unlock();
    while (is_busy_->load()) std::this_thread::yield();
    return result;
  }
  job->is_abandoned = true;
  if (job->thread != 0) lower_priority(job->thread);
  return base::fail(base::Errc::limit_exceeded,
                    "does not compile within " + std::to_string(limit.count()) + " ms");
}

}  // namespace helios::plugins
