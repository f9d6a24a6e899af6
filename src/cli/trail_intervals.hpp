// SPDX-License-Identifier: Apache-2.0
#pragma once

// When the plugin audit-chain did not run, as far as its own records tell: it records when it begins ("start") and when it
// ends ("stop"); and when a reload changed the plugin itself: it may have been another module, or one without some of its
// hooks, in between. No I/O.
//
// A "start" behind records without a "stop" says that the process ended without a word: it was killed, or crashed, or the
// machine did. Thread rule: one thread.

#include "kv/stream.hpp"

#include <boost/json/object.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace helios::cli {

class TrailIntervals {
 public:
  // Of so many it prints all; of more, the last of them.
  static constexpr std::size_t kMostKept = 1'000;

  // `space`: the namespace of the plugin.
  explicit TrailIntervals(std::string_view space) : space_(space) {}

  // `event`: its record where it is one of an event, else null. In the order of the trail.
  void add(const kv::StreamRecord& record, const boost::json::object* event);

  // Lines that end in a line break.
  [[nodiscard]] std::string summary() const;

 private:
  // It did not run from behind the one record to the other.
  struct Interval {
    kv::RecordNumber last = 0;
    std::int64_t last_ms = 0;
    kv::RecordNumber first = 0;
    std::int64_t first_ms = 0;
    std::string why;  // of the stop; empty: none was recorded
  };
  enum class State { unknown, running, stopped };

  void note_start(const kv::StreamRecord& record);
  void note_reload(const kv::StreamRecord& record, const boost::json::object& event);
  [[nodiscard]] static std::string line_of(const Interval& interval);
  [[nodiscard]] std::string changes_summary() const;

  const std::string space_;
  std::uint64_t change_count_ = 0;
  std::deque<std::string> changes_;  // the last of them, a line each
  State state_ = State::unknown;
  std::string why_;  // stopped: its cause
  kv::RecordNumber last_ = 0;
  std::int64_t last_ms_ = 0;
  std::uint64_t count_ = 0;  // of intervals
  std::deque<Interval> kept_;
  kv::RecordNumber first_start_ = 0;  // 0: none
  kv::RecordNumber first_record_ = 0;
};

}  // namespace helios::cli
