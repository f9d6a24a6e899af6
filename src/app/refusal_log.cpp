// SPDX-License-Identifier: Apache-2.0

#include "app/refusal_log.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

namespace helios::app {
namespace {

constexpr std::size_t kMaxLoggedBytes = 200;

admin::RefusalStatus to_status(session::RefusalRecord record) {
  admin::RefusalStatus status;
  status.time_ms = record.time_ms;
  status.request_id = std::move(record.request_id);
  status.plugin = record.plugin.empty() ? "proxy" : std::move(record.plugin);
  status.reason = std::move(record.reason);
  status.sqlstate = std::move(record.sqlstate);
  status.detail = std::move(record.detail);
  status.hint = std::move(record.hint);
  status.fault = std::move(record.fault);
  status.user = std::move(record.user);
  status.database = std::move(record.database);
  status.tenant = std::move(record.tenant);
  status.client = std::move(record.client);
  status.application_name = std::move(record.application_name);
  status.statement_kind = record.statement_kind;
  status.fingerprint = record.fingerprint;
  status.decided_by = hooks::to_word(record.decided_by);
  return status;
}

std::size_t bytes_of(const admin::RefusalStatus& status) {
  std::size_t bytes = sizeof(admin::RefusalStatus);
  for (const std::string* text :
       {&status.request_id, &status.plugin, &status.reason, &status.sqlstate, &status.detail,
        &status.hint, &status.fault, &status.user, &status.database, &status.tenant, &status.client,
        &status.application_name}) {
    bytes += text->capacity();
  }
  return bytes;
}

bool fits(const admin::RefusalStatus& status, const admin::RefusalQuery& query) {
  const auto is = [](const std::optional<std::string>& wanted, const std::string& value) {
    return !wanted || *wanted == value;
  };
  return is(query.tenant, status.tenant) && is(query.user, status.user) &&
         is(query.plugin, status.plugin) && status.time_ms >= query.since_ms &&
         status.number > query.after.value_or(0);
}

std::string line_of(const admin::RefusalStatus& status) {
  const auto shown = [](std::string_view text) {
    return base::escape_for_log(text, kMaxLoggedBytes);
  };
  std::string line = "refused (" + status.sqlstate + ") by " + shown(status.plugin) + " (" +
                     std::string(status.decided_by) + "), request " + status.request_id +
                     ", user " + shown(status.user) + ", database " + shown(status.database);
  if (!status.tenant.empty()) line += ", tenant " + shown(status.tenant);
  return line + ": " + shown(status.reason);
}

}  // namespace

void RefusalLog::note(session::RefusalRecord record) {
  if (record.is_login && logins_ != nullptr) logins_->note_denied_login(record, false);
  const std::string_view cap = record.cap;
  auto status = std::make_shared<admin::RefusalStatus>(to_status(std::move(record)));
  std::uint64_t left_out = 0;
  bool is_logged = false;
  {
    const std::lock_guard lock(mutex_);
    status->number = ++last_number_;
    count(status->plugin, status->sqlstate);
    if (!cap.empty()) ++caps_[{status->plugin, cap}];
    bytes_ += bytes_of(*status);
    kept_.push_back(status);
    while (kept_.size() > kMaxRecords || (bytes_ > kMaxBytes && kept_.size() > 1)) {
      bytes_ -= bytes_of(*kept_.front());
      kept_.pop_front();
    }
    is_logged = log_.enabled(base::LogLevel::info) && may_log(left_out);
  }
  if (!is_logged) return;
  if (left_out != 0)
    log_.write(base::LogLevel::info,
               std::to_string(left_out) + " refusals before this one are not in the log");
  log_.write(base::LogLevel::info, line_of(*status));
}

void RefusalLog::note_failed_login(session::RefusalRecord record, bool by_server) {
  if (logins_ != nullptr) logins_->note_denied_login(record, by_server);
}

void RefusalLog::count(const std::string& plugin, const std::string& sqlstate) {
  const auto known = counts_.find({plugin, sqlstate});
  if (known != counts_.end()) {
    ++known->second;
  } else {
    ++counts_[{plugin, counts_.size() < kMaxCounters ? sqlstate : "other"}];
  }
}

bool RefusalLog::may_log(std::uint64_t& left_out) {
  constexpr std::int64_t kSecondNs = 1'000'000'000;
  const std::int64_t second = clock_.monotonic_ns() / kSecondNs;
  if (second != log_second_) {
    log_second_ = second;
    lines_ = 0;
  }
  if (lines_ >= kMaxLinesPerSecond) {
    ++left_out_;
    return false;
  }
  ++lines_;
  left_out = std::exchange(left_out_, 0);
  return true;
}

admin::RefusalPage RefusalLog::read(const admin::RefusalQuery& query) const {
  std::vector<Kept> all;
  admin::RefusalPage page;
  {
    const std::lock_guard lock(mutex_);
    all.assign(kept_.begin(), kept_.end());
    page.last_number = last_number_;
    page.forgotten = last_number_ - kept_.size();
  }
  std::erase_if(all, [&](const Kept& kept) { return !fits(*kept, query); });
  const std::size_t count = std::min<std::size_t>(all.size(), query.limit);
  const std::size_t first = query.after ? 0 : all.size() - count;
  for (std::size_t i = first; i < first + count; ++i) page.refusals.push_back(*all[i]);
  if (query.after && count < all.size()) page.last_number = page.refusals.back().number;
  return page;
}

metrics::Source RefusalLog::metrics_source() const {
  return [this](std::vector<metrics::Family>& out) {
    metrics::Family refusals{"helios_refusals_total",
                             "Statements and clients refused, by who decided it",
                             metrics::Kind::counter,
                             {}};
    metrics::Family caps{
        "helios_caps_total",
        "Answers that were cut at a limit, by the plugin that said it and what it counts",
        metrics::Kind::counter,
        {}};
    const std::lock_guard lock(mutex_);
    for (const auto& [labels, count] : caps_) {
      caps.samples.push_back({{{"plugin", labels.first}, {"kind", std::string(labels.second)}},
                              static_cast<double>(count),
                              {}});
    }
    for (const auto& [labels, count] : counts_) {
      refusals.samples.push_back({{{"plugin", labels.first}, {"sqlstate", labels.second}},
                                  static_cast<double>(count),
                                  {}});
    }
    out.push_back(std::move(refusals));
    out.push_back(std::move(caps));
  };
}

}  // namespace helios::app
