// SPDX-License-Identifier: Apache-2.0

#include "net/epoll_connector.hpp"
#include "net/epoll_listener.hpp"
#include "net/epoll_source.hpp"
#include "net/epoll_stream.hpp"
#include "net/mailbox.hpp"
#include "net/timer_queue.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <limits>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include <sys/epoll.h>

namespace helios::net {
namespace {

constexpr std::size_t kEventsPerWait = 256;
constexpr std::int64_t kNanosecondsPerMillisecond = 1'000'000;

std::int64_t monotonic_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

class EpollEngine final : public EpollCore {
 public:
  explicit EpollEngine(Fd epoll) : epoll_(std::move(epoll)), buffer_(kReceiveBufferBytes) {}

  [[nodiscard]] bool watch_mailbox();

  StreamPtr adopt(Fd connection, StreamHandler& handler, LossReport loss_report) override;
  OperationPtr accept(Fd listening, AcceptHandler& handler) override;
  OperationPtr connect(const Endpoint& to, ConnectHandler& handler) override;
  TimerId start_timer(std::int64_t delay_ms, base::Task task) override;
  void cancel_timer(TimerId id) override { timers_.cancel(id); }
  base::Executor& mailbox() override { return mailbox_; }
  std::int64_t run_once(std::int64_t max_wait_ms) override;
  std::size_t lingering() const override { return lingering_; }

  bool watch(int fd, EpollSource& source) override;
  void unwatch(int fd) override;
  void enqueue_ready(EpollSource& source) override;
  void bury(EpollSource& source) override;
  std::span<char> receive_buffer() override { return buffer_; }
  void count_lingering(int change) override { lingering_ += static_cast<std::size_t>(change); }

 private:
  template <typename T, typename... Args>
  T* make_source(Args&&... args);
  int wait_ms(std::int64_t max_wait_ms);
  void report_events(std::size_t count);
  void service_ready();
  void destroy_buried();

  Fd epoll_;
  Mailbox mailbox_;
  TimerQueue timers_;
  std::vector<char> buffer_;
  std::array<epoll_event, kEventsPerWait> events_{};
  std::unordered_map<EpollSource*, std::unique_ptr<EpollSource>> sources_;
  std::vector<EpollSource*> ready_;
  std::vector<EpollSource*> servicing_;
  std::vector<EpollSource*> buried_;
  std::size_t lingering_ = 0;
};

bool EpollEngine::watch_mailbox() {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.ptr = nullptr;  // nothing to report: run_once() looks into the mailbox in every round
  return mailbox_.fd() >= 0 && ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, mailbox_.fd(), &event) == 0;
}

template <typename T, typename... Args>
T* EpollEngine::make_source(Args&&... args) {
  auto owned = std::make_unique<T>(*this, std::forward<Args>(args)...);
  auto* source = owned.get();
  sources_.emplace(source, std::move(owned));
  return source;
}

StreamPtr EpollEngine::adopt(Fd connection, StreamHandler& handler, LossReport loss_report) {
  auto* stream = make_source<EpollStream>(std::move(connection), handler, loss_report);
  stream->start();
  return StreamPtr(stream);
}

OperationPtr EpollEngine::accept(Fd listening, AcceptHandler& handler) {
  auto* listener = make_source<EpollListener>(std::move(listening), handler);
  listener->start();
  return OperationPtr(listener);
}

OperationPtr EpollEngine::connect(const Endpoint& to, ConnectHandler& handler) {
  auto* connector = make_source<EpollConnector>(handler);
  connector->start(to);
  return OperationPtr(connector);
}

TimerId EpollEngine::start_timer(std::int64_t delay_ms, base::Task task) {
  return timers_.add(monotonic_ns() + delay_ms * kNanosecondsPerMillisecond, std::move(task));
}

bool EpollEngine::watch(int fd, EpollSource& source) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &source;
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void EpollEngine::unwatch(int fd) { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

void EpollEngine::enqueue_ready(EpollSource& source) {
  if (!source.buried_ && !std::exchange(source.on_ready_list_, true)) {
    ready_.push_back(&source);
  }
}

void EpollEngine::bury(EpollSource& source) {
  if (!std::exchange(source.buried_, true)) {
    buried_.push_back(&source);
  }
}

std::int64_t EpollEngine::run_once(std::int64_t max_wait_ms) {
  int wait = wait_ms(max_wait_ms);
  if (wait != 0 && !mailbox_.prepare_to_sleep()) {
    wait = 0;
  }
  const int count =
      ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), wait);
  const auto started = monotonic_ns();
  report_events(static_cast<std::size_t>(std::max(count, 0)));
  if (!timers_.empty()) {
    timers_.run_expired(started);
  }
  mailbox_.run_all();
  service_ready();
  destroy_buried();
  return monotonic_ns() - started;
}

int EpollEngine::wait_ms(std::int64_t max_wait_ms) {
  if (!ready_.empty()) {
    return 0;
  }
  if (!timers_.empty()) {
    // Rounded up, so that the timer is due when the wait is over.
    const auto left_ns = std::max<std::int64_t>(timers_.next_deadline_ns() - monotonic_ns(), 0);
    max_wait_ms = std::min(max_wait_ms,
                           (left_ns + kNanosecondsPerMillisecond - 1) / kNanosecondsPerMillisecond);
  }
  return static_cast<int>(std::min<std::int64_t>(max_wait_ms, std::numeric_limits<int>::max()));
}

void EpollEngine::report_events(std::size_t count) {
  for (const auto& event : std::span(events_).first(count)) {
    auto* source = static_cast<EpollSource*>(event.data.ptr);
    // An earlier event of this round may have buried the source; it is still there.
    if (source != nullptr && !source->buried_) {
      source->on_events(event.events);
    }
  }
}

void EpollEngine::service_ready() {
  servicing_.swap(ready_);
  for (auto* source : servicing_) {
    source->on_ready_list_ = false;
    if (!source->buried_) {
      source->service();
    }
  }
  servicing_.clear();
}

void EpollEngine::destroy_buried() {
  for (auto* source : buried_) {
    if (source->on_ready_list_) {
      std::erase(ready_, source);
    }
    sources_.erase(source);
  }
  buried_.clear();
}

base::Result<std::unique_ptr<Engine>> make_epoll_engine() {
  Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) {
    return base::fail(base::Errc::unavailable,
                      std::string("epoll_create1: ") + std::strerror(errno));
  }
  auto engine = std::make_unique<EpollEngine>(std::move(epoll));
  if (!engine->watch_mailbox()) {
    return base::fail(base::Errc::unavailable, std::string("eventfd: ") + std::strerror(errno));
  }
  return engine;
}

}  // namespace helios::net
