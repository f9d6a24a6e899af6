// SPDX-License-Identifier: Apache-2.0
#pragma once

// Checks a trail of the audit-chain plugin (plugins/audit-chain/README.md has the format): the stream is whole, every
// outcome belongs to an intent, which statements have no outcome, and when the plugin did not run. No I/O.
//
// Whoever wrote the trail cannot make it take more memory than kMostOpen statements need. Beyond that it gives up the
// oldest one that is open, and says so: whether that one has an outcome is not looked for any more.

#include "base/result.hpp"
#include "cli/audit_chain.hpp"
#include "cli/record_parser.hpp"
#include "cli/stream_verifier.hpp"
#include "cli/trail_anchors.hpp"
#include "cli/trail_intervals.hpp"
#include "kv/stream.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace helios::cli {

inline constexpr std::string_view kTrailStream = "trail";

// A request is named by 36 characters; the plugin records 256 at most.
inline constexpr std::size_t kMaxRequestBytes = 256;

// Flow: 1 anchors; 2 add() every page, in order; 3 finish(). Errors are one line that names the record; after one, the
// verifier is of no more use.
class TrailVerifier {
 public:
  // How many statements may be without an outcome at a time: more than any proxy has under way, and 20 to 50 MB.
  static constexpr std::size_t kMostOpen = 100'000;

  // `space`: the namespace. Where the first page does not begin at record 1, an outcome may belong to an intent
  // before it.
  explicit TrailVerifier(std::string_view space, std::size_t most_open = kMostOpen)
      : most_open_(most_open), records_(space, kTrailStream), intervals_(space) {}

  // `anchors`: what the trail must have.
  void hold_against(TrailAnchors anchors) { anchors_ = std::move(anchors); }

  [[nodiscard]] base::Result<void> add(const kv::StreamPage& page);

  // `extent`: that of the last page. `before`: the newest record of a chain in keys, where there is one: the trail
  // must go on from it.
  [[nodiscard]] base::Result<void> finish(const kv::StreamExtent& extent,
                                          const std::optional<ChainLink>& before) const;

  [[nodiscard]] bool has_records() const { return !newest_.hash.empty(); }
  // The newest record that was added. Requires: has_records().
  [[nodiscard]] const ChainLink& newest() const { return newest_; }

  // What was found, for people: lines that end in a line break.
  [[nodiscard]] std::string summary() const;

 private:
  [[nodiscard]] base::Result<void> add_record(const kv::StreamRecord& record);
  [[nodiscard]] base::Result<void> open(std::string_view request, std::int64_t number);
  [[nodiscard]] base::Result<void> close(std::string_view request, std::int64_t number);
  [[nodiscard]] std::string events_summary() const;

  const std::size_t most_open_;
  RecordParser parser_;
  StreamVerifier records_;
  TrailAnchors anchors_;
  ChainLink newest_{.seq = 0, .hash = {}};
  bool begins_at_first_ = true;  // the first record was record 1
  // Requests that have an intent and no outcome, by the number of the intent, and back.
  std::map<std::string, std::int64_t, std::less<>> open_;
  std::map<std::int64_t, std::string_view> oldest_;  // views the keys of open_
  std::uint64_t given_up_ = 0;                       // more than most_open_ were open
  std::uint64_t late_ = 0;        // outcomes that must belong to one that was given up
  std::uint64_t statements_ = 0;  // intents
  TrailIntervals intervals_;      // when the plugin did not run
  std::uint64_t events_ = 0;
  std::uint64_t others_ = 0;          // records of a type that this program does not know
  std::optional<ChainLink> carried_;  // what the trail says that it goes on from
};

}  // namespace helios::cli
