// SPDX-License-Identifier: Apache-2.0
#pragma once

// Makes anchors on a schedule, and has them kept elsewhere, by a thread of its own: at the start, then every interval, and a
// last time at the end, so that nothing is behind the last anchor of a proxy that was stopped in order.
//
// An anchor names only what is on disk: it would else accuse a trail whose last second was lost with a power failure.
// One that cannot be made or delivered is tried again after retry_ms; health() says why meanwhile, and statements go on.

#include "anchors/anchor.hpp"
#include "anchors/anchor_post.hpp"
#include "base/clock.hpp"
#include "base/faults.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "kv/stream.hpp"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace helios::anchors {

// Of which stream, how often, and where to: exactly one of `file` and `post` says it.
struct AnchorPlan {
  StreamId stream;
  std::int64_t interval_ms = 3'600'000;
  std::string file;
  std::optional<PostTarget> post;

  bool operator==(const AnchorPlan&) const = default;
};

// What the keeper works with. All may block.
struct AnchorPorts {
  // The last record of a stream, once it is on disk; nothing where there is none.
  std::function<base::Result<std::optional<kv::StreamRecord>>(const StreamId&)> read_head;
  std::function<base::Result<void>(const std::string& path, std::string_view line)> append;
  std::function<base::Result<void>(const PostTarget&, std::string_view body)> post;
};

struct AnchorStats {
  std::uint64_t kept = 0;      // anchors
  std::uint64_t failures = 0;  // tries that kept none
  // When that plan kept its last one that is furthest behind, by the wall clock; 0: it has none yet, or there is no plan.
  std::int64_t last_kept_ms = 0;
};

// Thread rule: any thread.
class AnchorKeeper {
 public:
  static constexpr std::int64_t kRetryMs = 60'000;
  // What the last round may take, at the end.
  static constexpr std::int64_t kFarewellMs = 5'000;

  // Lifetime: all outlive the keeper. `faults`: null in tests.
  AnchorKeeper(AnchorPorts ports, const base::Clock& clock, base::Log& log,
               base::FaultSink* faults = nullptr);
  ~AnchorKeeper();

  void start();
  // Makes the last anchors, while what they read is still there. Takes as long as the one delivery that is under way, and
  // kFarewellMs.
  void stop();

  // A plan that was there before keeps its time; a new one is due at once. Files come before addresses, which may be slow.
  void set(std::vector<AnchorPlan> plans);

  // Makes the anchors that are due, as the thread does; without start(), for those who have no thread. Returns the
  // milliseconds until the next one is due.
  std::int64_t run_due();

  // One line for each plan whose last try has failed.
  [[nodiscard]] std::vector<std::string> health() const;
  [[nodiscard]] AnchorStats stats() const;

 private:
  struct Entry {
    AnchorPlan plan;
    std::int64_t due_ns = 0;  // by the monotonic clock
    std::string trouble;
    std::int64_t kept_ms = 0;  // when it kept its last one, by the wall clock; 0: none yet
  };

  void run();
  void run_last();
  void adopt_plans();
  void make(Entry& entry);
  void note(Entry& entry, const base::Result<Anchor>& made);
  void publish();
  [[nodiscard]] bool is_interrupted() const;
  [[nodiscard]] base::Result<Anchor> make_anchor(const StreamId& stream) const;
  [[nodiscard]] base::Result<void> deliver(const AnchorPlan& plan, const Anchor& anchor) const;

  const AnchorPorts ports_;
  const base::Clock& clock_;
  base::Log& log_;
  base::FaultSink* const faults_;
  std::vector<Entry> entries_;  // of whoever runs the rounds
  mutable std::mutex mutex_;    // guards what follows
  std::condition_variable woken_;
  std::optional<std::vector<AnchorPlan>> next_plans_;
  std::vector<std::string> health_;
  AnchorStats stats_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace helios::anchors
