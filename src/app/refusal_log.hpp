// SPDX-License-Identifier: Apache-2.0
#pragma once

// The refusals of the process: the last of them in memory, a line of the log for each, and a counter.
//
// Thread rule: any thread. Each refusal takes the lock for a moment; a statement that passes never comes here.

#include "admin/refusals.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "metrics/registry.hpp"
#include "session/refusal_records.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace helios::app {

// Takes the logins that came to nothing. Thread rule: any thread.
class DeniedLogins {
 public:
  virtual ~DeniedLogins() = default;
  // `by_server`: the server did not let the client in, and not the proxy.
  virtual void note_denied_login(const session::RefusalRecord& record, bool by_server) = 0;
};

class RefusalLog final : public session::RefusalSink {
 public:
  static constexpr std::size_t kMaxRecords = 10'000;
  static constexpr std::size_t kMaxBytes = 16U << 20;
  // Of the log. Those beyond are counted, and said with the next line.
  static constexpr std::uint32_t kMaxLinesPerSecond = 20;
  // Pairs of plugin and SQLSTATE that are counted apart; plugins choose SQLSTATEs.
  static constexpr std::size_t kMaxCounters = 1'000;

  // Both outlive this.
  RefusalLog(base::Log& log, const base::Clock& clock) : log_(log), clock_(clock) {}

  void note(session::RefusalRecord record) override;
  // The server's own refusals are none of the proxy's: they are passed on, and neither kept nor counted here.
  void note_failed_login(session::RefusalRecord record, bool by_server) override;
  // To be called before the first refusal. `logins` outlives whoever calls note(); null: nobody wants them.
  void pass_logins_to(DeniedLogins* logins) { logins_ = logins; }

  // The newest that fit, in the order of time; with `query.after`, the first that fit behind it.
  [[nodiscard]] admin::RefusalPage read(const admin::RefusalQuery& query) const;

  // Requires: this outlives the source.
  [[nodiscard]] metrics::Source metrics_source() const;

 private:
  using Kept = std::shared_ptr<const admin::RefusalStatus>;  // read without the lock

  void count(const std::string& plugin, const std::string& sqlstate);
  [[nodiscard]] bool may_log(std::uint64_t& left_out);

  base::Log& log_;
  const base::Clock& clock_;
  DeniedLogins* logins_ = nullptr;
  mutable std::mutex mutex_;  // guards what follows
  std::deque<Kept> kept_;
  std::size_t bytes_ = 0;
  std::uint64_t last_number_ = 0;
  std::map<std::pair<std::string, std::string>, std::uint64_t> counts_;
  std::map<std::pair<std::string, std::string_view>, std::uint64_t> caps_;  // plugin, kind
  std::int64_t log_second_ = INT64_MIN;
  std::uint32_t lines_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace helios::app
