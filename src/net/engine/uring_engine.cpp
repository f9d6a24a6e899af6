// SPDX-License-Identifier: Apache-2.0

#include "net/engine/uring_engine.hpp"

#include "net/engine/uring_buffers.hpp"
#include "net/engine/uring_connector.hpp"
#include "net/engine/uring_listener.hpp"
#include "net/engine/uring_ring.hpp"
#include "net/engine/uring_source.hpp"
#include "net/engine/uring_stream.hpp"

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include <poll.h>

namespace helios::net {
namespace {

// The tag of the request that waits for the mailbox, which belongs to no object.
constexpr std::uint64_t kMailboxTag = 0;
constexpr std::uint64_t kUseMask = 15;

// Requests wait for the end of the round, but not behind the work of other sessions for long.
constexpr std::int64_t kMaxHoldNs = 100'000;

// How often a destructor waits for completions that do not come, and how long.
constexpr int kFarewellRounds = 100;
constexpr std::int64_t kFarewellWaitNs = 10'000'000;

}  // namespace

class UringEngine final : public UringCore {
 public:
  UringEngine(std::unique_ptr<UringRing> ring, std::unique_ptr<UringBuffers> buffers)
      : buffers_(std::move(buffers)), ring_(std::move(ring)) {}
  ~UringEngine() override;

  [[nodiscard]] bool has_mailbox() const { return mailbox_.fd() >= 0; }

  StreamPtr adopt(Fd connection, StreamHandler& handler, LossReport loss_report) override;
  OperationPtr accept(Fd listening, AcceptHandler& handler) override;
  OperationPtr connect(const Endpoint& to, ConnectHandler& handler) override;
  std::int64_t run_once(std::int64_t max_wait_ms) override;

  UringRing& ring() override { return *ring_; }
  void prepare_later(UringSource& source) override;
  void expect_at_once(UringSource& source) override { at_once_.push_back(&source); }
  void enqueue_ready(UringSource& source) override;
  void bury(UringSource& source) override;

 private:
  template <typename T, typename... Args>
  T* make_source(Args&&... args);
  bool watch_mailbox();
  void prepare_all();
  void wait(std::int64_t max_wait_ms);
  void report_completions(std::int64_t started_ns);
  void report(const UringCompletion& completion);
  void on_failed_at_once(UringSource& source);
  void settle_at_once();
  void service_ready();
  void destroy_buried();
  void cancel_everything();

  // The ring goes first: the kernel may write into the buffers as long as it is there.
  std::unique_ptr<UringBuffers> buffers_;
  std::unordered_map<UringSource*, std::unique_ptr<UringSource>> sources_;
  std::unique_ptr<UringRing> ring_;
  bool mailbox_watched_ = false;
  std::vector<UringSource*> at_once_;  // have a request for UringUse::send_at_once under way
  std::size_t submitted_at_once_ = 0;  // those at the front whose completions, if any, are there
  std::vector<UringSource*> to_prepare_;
  std::vector<UringSource*> preparing_;
  std::vector<UringSource*> ready_;
  std::vector<UringSource*> servicing_;
  std::vector<UringSource*> buried_;
};

UringEngine::~UringEngine() {
  if (ring_->belongs_here()) {
    cancel_everything();
  }
}

// Requests may still read from and write to what is about to be freed.
void UringEngine::cancel_everything() {
  for (const auto& [source, owned] : sources_) {
    prepare_later(*source);
    source->abandon();
  }
  const auto in_flight = [this] {
    return std::ranges::any_of(sources_, [](const auto& s) { return s.first->in_flight_ > 0; });
  };
  for (int i = 0; i < kFarewellRounds && in_flight(); ++i) {
    prepare_all();
    ring_->submit_and_wait(kFarewellWaitNs);
    report_completions(monotonic_ns());
  }
}

template <typename T, typename... Args>
T* UringEngine::make_source(Args&&... args) {
  auto owned = std::make_unique<T>(*this, std::forward<Args>(args)...);
  auto* source = owned.get();
  sources_.emplace(source, std::move(owned));
  return source;
}

StreamPtr UringEngine::adopt(Fd connection, StreamHandler& handler, LossReport loss_report) {
  auto* stream = make_source<UringStream>(std::move(connection), handler, loss_report);
  prepare_later(*stream);
  return StreamPtr(stream);
}

OperationPtr UringEngine::accept(Fd listening, AcceptHandler& handler) {
  auto* listener = make_source<UringListener>(std::move(listening), handler);
  prepare_later(*listener);
  return OperationPtr(listener);
}

OperationPtr UringEngine::connect(const Endpoint& to, ConnectHandler& handler) {
  auto* connector = make_source<UringConnector>(handler);
  connector->start(to);
  return OperationPtr(connector);
}

void UringEngine::prepare_later(UringSource& source) {
  if (!std::exchange(source.on_prepare_list_, true)) {
    to_prepare_.push_back(&source);
  }
}

void UringEngine::enqueue_ready(UringSource& source) {
  if (!source.buried_ && !std::exchange(source.on_ready_list_, true)) {
    ready_.push_back(&source);
  }
}

void UringEngine::bury(UringSource& source) {
  if (!std::exchange(source.buried_, true)) {
    buried_.push_back(&source);
    prepare_later(source);
  }
}

std::int64_t UringEngine::run_once(std::int64_t max_wait_ms) {
  const bool all_settled = at_once_.empty();
  prepare_all();
  wait(all_settled ? max_wait_ms : 0);
  const auto started = monotonic_ns();
  report_completions(started);
  run_tasks(started);
  service_ready();
  run_deferred();
  destroy_buried();
  return monotonic_ns() - started;
}

// The mailbox's eventfd is never read: every write to it completes the request once more.
bool UringEngine::watch_mailbox() {
  auto* request = ring_->next_request();
  if (request == nullptr) {
    return false;
  }
  io_uring_prep_poll_multishot(request, mailbox_.fd(), POLLIN);
  io_uring_sqe_set_data64(request, kMailboxTag);
  return true;
}

void UringEngine::prepare_all() {
  mailbox_watched_ = mailbox_watched_ || watch_mailbox();
  preparing_.swap(to_prepare_);
  for (auto* source : preparing_) {
    source->on_prepare_list_ = false;
    if (!source->prepare()) {
      prepare_later(*source);
    }
  }
  preparing_.clear();
}

void UringEngine::wait(std::int64_t max_wait_ms) {
  const bool may_wait = ready_.empty() && to_prepare_.empty() && mailbox_watched_;
  const auto wait_ns = may_wait ? prepare_wait_ns(max_wait_ms) : 0;
  ring_->submit_and_wait(wait_ns);
}

// Those that come in meanwhile wait for the next round: others want to work, too.
void UringEngine::report_completions(std::int64_t started_ns) {
  submitted_at_once_ = ring_->is_settled() ? at_once_.size() : 0;
  auto held_since_ns = started_ns;
  for (auto left = ring_->completions_waiting(); left > 0; --left) {
    report(ring_->take_completion());
    if (left > 1 && !to_prepare_.empty() && monotonic_ns() - held_since_ns > kMaxHoldNs) {
      prepare_all();
      ring_->submit();
      held_since_ns = monotonic_ns();
    }
  }
  settle_at_once();
}

// Whoever's failure was not among the completions has sent everything.
void UringEngine::settle_at_once() {
  for (std::size_t i = 0; i < submitted_at_once_; ++i) {
    auto* source = at_once_[i];
    --source->in_flight_;
    call_handler([&] { source->on_sent_at_once(); });
  }
  at_once_.erase(at_once_.begin(),
                 at_once_.begin() + static_cast<std::ptrdiff_t>(submitted_at_once_));
  submitted_at_once_ = 0;
}

void UringEngine::on_failed_at_once(UringSource& source) {
  const auto found = std::ranges::find(at_once_, &source);
  if (found - at_once_.begin() < static_cast<std::ptrdiff_t>(submitted_at_once_)) {
    --submitted_at_once_;
  }
  at_once_.erase(found);
}

void UringEngine::report(const UringCompletion& completion) {
  const bool is_last = (completion.flags & IORING_CQE_F_MORE) == 0;
  if (completion.tag == kMailboxTag) {
    mailbox_watched_ = !is_last;
    return;
  }
  auto* source = reinterpret_cast<UringSource*>(completion.tag & ~kUseMask);
  const auto use = static_cast<UringUse>(completion.tag & kUseMask);
  if (is_last) {
    --source->in_flight_;
  }
  if (use == UringUse::send_at_once) {
    on_failed_at_once(*source);
  }
  call_handler([&] { source->on_completion(use, completion, buffers_->received(completion)); });
  buffers_->give_back(completion);
}

void UringEngine::service_ready() {
  servicing_.swap(ready_);
  for (auto* source : servicing_) {
    source->on_ready_list_ = false;
    if (!source->buried_) {
      call_handler([&] { source->service(); });
    }
  }
  servicing_.clear();
}

void UringEngine::destroy_buried() {
  std::erase_if(buried_, [this](UringSource* source) {
    if (source->in_flight_ > 0) {
      return false;
    }
    if (source->on_ready_list_) {
      std::erase(ready_, source);
    }
    if (source->on_prepare_list_) {
      std::erase(to_prepare_, source);
    }
    sources_.erase(source);
    return true;
  });
}

base::Result<std::unique_ptr<Engine>> make_uring_engine(const UringSizes& sizes) {
  auto ring = UringRing::create(sizes);
  if (!ring) {
    return base::fail(ring.error().code, ring.error().message);
  }
  auto buffers = UringBuffers::create(**ring, sizes);
  if (!buffers) {
    return base::fail(buffers.error().code, buffers.error().message);
  }
  auto engine = std::make_unique<UringEngine>(*std::move(ring), *std::move(buffers));
  if (!engine->has_mailbox()) {
    return base::fail(base::Errc::unavailable, "eventfd: no descriptor");
  }
  return engine;
}

}  // namespace helios::net
