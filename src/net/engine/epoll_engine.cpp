// SPDX-License-Identifier: Apache-2.0

#include "net/engine/epoll_connector.hpp"
#include "net/engine/epoll_listener.hpp"
#include "net/engine/epoll_source.hpp"
#include "net/engine/epoll_stream.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
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

// Rounded up, so that the timer is due when the wait is over.
int to_milliseconds(std::int64_t wait_ns) {
  if (wait_ns == Engine::kNoLimit) {
    return -1;
  }
  const auto wait_ms = (wait_ns + kNanosecondsPerMillisecond - 1) / kNanosecondsPerMillisecond;
  return static_cast<int>(std::min<std::int64_t>(wait_ms, std::numeric_limits<int>::max()));
}

}  // namespace

class EpollEngine final : public EpollCore {
 public:
  explicit EpollEngine(Fd epoll) : epoll_(std::move(epoll)), buffer_(kReceiveBufferBytes) {}

  [[nodiscard]] bool watch_mailbox();

  StreamPtr adopt(Fd connection, StreamHandler& handler, LossReport loss_report) override;
  OperationPtr accept(Fd listening, AcceptHandler& handler) override;
  OperationPtr connect(const Endpoint& to, ConnectHandler& handler) override;
  std::int64_t run_once(std::int64_t max_wait_ms) override;

  bool watch(int fd, EpollSource& source) override;
  void unwatch(int fd) override;
  void enqueue_ready(EpollSource& source) override;
  void bury(EpollSource& source) override;
  std::span<char> receive_buffer() override { return buffer_; }

 private:
  template <typename T, typename... Args>
  T* make_source(Args&&... args);
  void report_events(std::size_t count);
  void service_ready();
  void destroy_buried();

  Fd epoll_;
  std::vector<char> buffer_;
  std::array<epoll_event, kEventsPerWait> events_{};
  std::unordered_map<EpollSource*, std::unique_ptr<EpollSource>> sources_;
  std::vector<EpollSource*> ready_;
  std::vector<EpollSource*> servicing_;
  std::vector<EpollSource*> buried_;
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
  const int wait = ready_.empty() ? to_milliseconds(prepare_wait_ns(max_wait_ms)) : 0;
  const int count =
      ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), wait);
  const auto started = monotonic_ns();
  report_events(static_cast<std::size_t>(std::max(count, 0)));
  run_tasks(started);
  service_ready();
  run_deferred();
  destroy_buried();
  return monotonic_ns() - started;
}

void EpollEngine::report_events(std::size_t count) {
  for (const auto& event : std::span(events_).first(count)) {
    auto* source = static_cast<EpollSource*>(event.data.ptr);
    // An earlier event of this round may have buried the source; it is still there.
    if (source != nullptr && !source->buried_) {
      call_handler([&] { source->on_events(event.events); });
    }
  }
}

void EpollEngine::service_ready() {
  servicing_.swap(ready_);
  for (auto* source : servicing_) {
    source->on_ready_list_ = false;
    if (!source->buried_) {
      call_handler([&] { source->service(); });
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
