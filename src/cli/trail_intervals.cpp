// SPDX-License-Identifier: Apache-2.0
#include "cli/trail_intervals.hpp"

#include "base/rfc3339.hpp"
#include "cli/json_answer.hpp"
#include "cli/shown.hpp"
#include "kv/namespace_name.hpp"

#include <utility>

namespace helios::cli {
namespace {

std::string at(kv::RecordNumber number, std::int64_t time_ms) {
  return base::to_rfc3339(time_ms) + " (record " + std::to_string(number) + ")";
}

std::string times(std::uint64_t count) {
  return count == 1 ? "once" : std::to_string(count) + " times";
}

const boost::json::object* detail_of(const boost::json::object& event) {
  const boost::json::value* detail = event.if_contains("detail");
  return detail == nullptr ? nullptr : detail->if_object();
}

// The member "cause" of the event's detail.
std::string cause_of(const boost::json::object& event) {
  const boost::json::object* detail = detail_of(event);
  if (detail == nullptr) return "?";
  constexpr std::size_t kMaxCauseBytes = 40;
  return shown(view_of(*detail, "cause").substr(0, kMaxCauseBytes));
}

// Of a SHA-256, enough to tell two modules apart.
std::string short_sha(const boost::json::object& change, std::string_view name) {
  constexpr std::size_t kShownDigits = 12;
  return shown(view_of(change, name).substr(0, kShownDigits));
}

}  // namespace

void TrailIntervals::add(const kv::StreamRecord& record, const boost::json::object* event) {
  if (first_record_ == 0) first_record_ = record.number;
  const std::string_view kind = event == nullptr ? std::string_view() : view_of(*event, "event");
  if (kind == "start") note_start(record);
  if (kind == "reload") note_reload(record, *event);
  if (kind == "stop") {
    state_ = State::stopped;
    why_ = cause_of(*event);
  }
  last_ = record.number;
  last_ms_ = record.time_ms;
}

void TrailIntervals::note_start(const kv::StreamRecord& record) {
  if (first_start_ == 0) first_start_ = record.number;
  if (state_ != State::unknown) {
    ++count_;
    if (kept_.size() == kMostKept) kept_.pop_front();
    kept_.push_back({.last = last_,
                     .last_ms = last_ms_,
                     .first = record.number,
                     .first_ms = record.time_ms,
                     .why = state_ == State::stopped ? why_ : std::string()});
  }
  state_ = State::running;
}

void TrailIntervals::note_reload(const kv::StreamRecord& record, const boost::json::object& event) {
  const boost::json::object* detail = detail_of(event);
  const boost::json::value* changes = detail == nullptr ? nullptr : detail->if_contains("changes");
  if (changes == nullptr || !changes->is_array()) return;
  for (const boost::json::value& each : changes->get_array()) {
    const boost::json::object* change = each.if_object();
    if (change == nullptr || view_of(*change, "change") != "changed") continue;
    if (kv::namespace_name(view_of(*change, "name")).value_or("") != space_) continue;
    ++change_count_;
    if (changes_.size() == kMostKept) changes_.pop_front();
    const std::string before = short_sha(*change, "old_sha256");
    const std::string behind = short_sha(*change, "sha256");
    changes_.push_back("  at " + at(record.number, record.time_ms) + ", " +
                       (before == behind ? "its manifest, module " + behind
                                         : "module " + before + " to " + behind) +
                       "\n");
  }
}

std::string TrailIntervals::changes_summary() const {
  if (change_count_ == 0) return {};
  std::string text = "reloads changed the plugin itself " + times(change_count_) +
                     "; what ran before each need not have recorded everything:\n";
  if (change_count_ > changes_.size())
    text += "  ... the last " + std::to_string(changes_.size()) + " of them:\n";
  for (const std::string& line : changes_) text += line;
  return text;
}

std::string TrailIntervals::line_of(const Interval& interval) {
  const std::string why =
      interval.why.empty() ? "without a stop: killed, or a crash" : "stopped: " + interval.why;
  return "  from " + at(interval.last, interval.last_ms) + " to " +
         at(interval.first, interval.first_ms) + ", " + why + "\n";
}

std::string TrailIntervals::summary() const {
  if (first_record_ == 0) return {};
  if (state_ == State::unknown)
    return "no record says when the plugin ran: audit-chain before 0.7.0 does not tell\n";
  std::string text;
  if (first_start_ != 0 && first_start_ != first_record_)
    text +=
        "before record " + std::to_string(first_start_) + " no record says when the plugin ran\n";
  if (count_ == 0 && state_ == State::running)
    return text + "the plugin ran all the time since its start\n" + changes_summary();
  if (count_ != 0) text += "the plugin did not run " + times(count_) + ":\n";
  if (count_ > kept_.size())
    text += "  ... the last " + std::to_string(kept_.size()) + " of them:\n";
  for (const Interval& interval : kept_) text += line_of(interval);
  if (state_ == State::stopped)
    text += "it has not run since " + at(last_, last_ms_) + ", stopped: " + why_ + "\n";
  return text + changes_summary();
}

}  // namespace helios::cli
