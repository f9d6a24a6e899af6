// SPDX-License-Identifier: Apache-2.0
#include "anchors/anchor_keeper.hpp"

#include "base/sha256.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <pthread.h>

namespace helios::anchors {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kLongestWaitMs = 3'600'000;

std::string target_of(const AnchorPlan& plan) {
  return plan.post ? shown_url(plan.post->url) : plan.file;
}

}  // namespace

AnchorKeeper::AnchorKeeper(AnchorPorts ports, const base::Clock& clock, base::Log& log,
                           base::FaultSink* faults)
    : ports_(std::move(ports)), clock_(clock), log_(log), faults_(faults) {}

AnchorKeeper::~AnchorKeeper() { stop(); }

void AnchorKeeper::start() {
  thread_ = std::thread([this] { run(); });
}

void AnchorKeeper::stop() {
  {
    const std::scoped_lock lock(mutex_);
    is_stopping_ = true;
  }
  woken_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void AnchorKeeper::set(std::vector<AnchorPlan> plans) {
  {
    const std::scoped_lock lock(mutex_);
    next_plans_ = std::move(plans);
  }
  woken_.notify_all();
}

std::vector<std::string> AnchorKeeper::health() const {
  const std::scoped_lock lock(mutex_);
  return health_;
}

AnchorStats AnchorKeeper::stats() const {
  const std::scoped_lock lock(mutex_);
  return stats_;
}

void AnchorKeeper::run() {
  pthread_setname_np(pthread_self(), "anchors");
  for (;;) {
    std::int64_t wait_ms = kRetryMs;
    base::contain(faults_, base::FaultPlace::state, [&] { wait_ms = run_due(); });
    std::unique_lock lock(mutex_);
    woken_.wait_for(lock, std::chrono::milliseconds(wait_ms),
                    [this] { return is_stopping_ || next_plans_; });
    if (is_stopping_) break;
  }
  base::contain(faults_, base::FaultPlace::state, [this] { run_last(); });
}

std::int64_t AnchorKeeper::run_due() {
  adopt_plans();
  std::int64_t wait_ms = kLongestWaitMs;
  for (Entry& entry : entries_) {
    if (clock_.monotonic_ns() >= entry.due_ns) {
      if (is_interrupted()) return 1;
      make(entry);
      publish();
    }
    wait_ms = std::min(wait_ms, (entry.due_ns - clock_.monotonic_ns()) / kNsPerMs + 1);
  }
  publish();
  return std::max<std::int64_t>(wait_ms, 1);
}

// Between two deliveries: the end, and other plans, do not wait for the rest of a round.
bool AnchorKeeper::is_interrupted() const {
  const std::scoped_lock lock(mutex_);
  return is_stopping_ || next_plans_;
}

// Whoever stops the proxy does not wait for addresses that do not answer.
void AnchorKeeper::run_last() {
  const std::int64_t end_ns = clock_.monotonic_ns() + kFarewellMs * kNsPerMs;
  for (Entry& entry : entries_) {
    const std::int64_t left_ms = (end_ns - clock_.monotonic_ns()) / kNsPerMs;
    if (entry.plan.post && left_ms <= 0) {
      log_.write(base::LogLevel::warning, "no last anchor of " + to_string(entry.plan.stream) +
                                              " to " + target_of(entry.plan) +
                                              ": others took too long");
      continue;
    }
    if (entry.plan.post)
      entry.plan.post->timeout_ms =
          std::min(entry.plan.post->timeout_ms, static_cast<std::uint32_t>(left_ms));
    make(entry);
  }
}

void AnchorKeeper::adopt_plans() {
  std::optional<std::vector<AnchorPlan>> plans;
  {
    const std::scoped_lock lock(mutex_);
    plans = std::exchange(next_plans_, std::nullopt);
  }
  if (!plans) return;
  std::vector<Entry> next;
  for (AnchorPlan& plan : *plans) {
    const auto known = std::ranges::find(entries_, plan, &Entry::plan);
    next.push_back(
        known != entries_.end()
            ? *known
            : Entry{.plan = std::move(plan), .due_ns = clock_.monotonic_ns(), .trouble = {}});
  }
  std::ranges::stable_partition(next, [](const Entry& entry) { return !entry.plan.post; });
  entries_ = std::move(next);
}

void AnchorKeeper::make(Entry& entry) {
  // First: whatever becomes of it, there is a next one.
  entry.due_ns = clock_.monotonic_ns() + std::min(entry.plan.interval_ms, kRetryMs) * kNsPerMs;
  auto made = make_anchor(entry.plan.stream);
  if (made) {
    if (auto delivered = deliver(entry.plan, *made); !delivered)
      made = std::unexpected(delivered.error());
  }
  if (made) entry.due_ns = clock_.monotonic_ns() + entry.plan.interval_ms * kNsPerMs;
  note(entry, made);
}

base::Result<Anchor> AnchorKeeper::make_anchor(const StreamId& stream) const {
  auto head = ports_.read_head(stream);
  if (!head) return std::unexpected(head.error());
  if (!*head) return base::fail(base::Errc::not_found, "there is no record yet");
  return Anchor{.time_ms = clock_.wall_ms(),
                .stream = stream,
                .number = (*head)->number,
                .sha256 = base::to_hex((*head)->digest)};
}

base::Result<void> AnchorKeeper::deliver(const AnchorPlan& plan, const Anchor& anchor) const {
  return plan.post ? ports_.post(*plan.post, to_json(anchor))
                   : ports_.append(plan.file, to_line(anchor));
}

// The log is a place for anchors, too: many ship it elsewhere. One line when it fails, until the reason is another.
void AnchorKeeper::note(Entry& entry, const base::Result<Anchor>& made) {
  const std::string target = target_of(entry.plan);
  const std::string trouble = made ? std::string()
                                   : "no anchor of " + to_string(entry.plan.stream) + " in " +
                                         target + ": " + made.error().message;
  if (made) {
    log_.write(base::LogLevel::info, "anchor: " + to_line(*made) + " is in " + target);
  } else if (trouble != entry.trouble) {
    log_.write(base::LogLevel::error, trouble);
  }
  entry.trouble = trouble;
  if (made) entry.kept_ms = made->time_ms;
  const std::scoped_lock lock(mutex_);
  ++(made ? stats_.kept : stats_.failures);
}

void AnchorKeeper::publish() {
  std::vector<std::string> health;
  std::int64_t furthest_ms = entries_.empty() ? 0 : INT64_MAX;
  for (const Entry& entry : entries_) {
    if (!entry.trouble.empty()) health.push_back(entry.trouble);
    furthest_ms = std::min(furthest_ms, entry.kept_ms);
  }
  const std::scoped_lock lock(mutex_);
  stats_.last_kept_ms = furthest_ms;
  health_ = std::move(health);
}

}  // namespace helios::anchors
