// SPDX-License-Identifier: Apache-2.0
#pragma once

// Checks a trail of the audit-chain plugin (plugins/audit-chain/README.md has the format): the stream is whole, every
// outcome belongs to an intent, and which statements have no outcome. No I/O.

#include "base/result.hpp"
#include "cli/audit_chain.hpp"
#include "cli/stream_verifier.hpp"
#include "kv/stream.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace helios::cli {

inline constexpr std::string_view kTrailStream = "trail";

// Flow: 1 anchors; 2 add() every page, in order; 3 finish(). Errors are one line that names the record; after one, the
// verifier is of no more use.
class TrailVerifier {
 public:
  // `space`: the namespace. Where the first page does not begin at record 1, an outcome may belong to an intent
  // before it.
  explicit TrailVerifier(std::string_view space) : records_(space, kTrailStream) {}

  // The trail must have this record as it says.
  void expect(const ChainLink& anchor) { anchors_[anchor.seq] = anchor.hash; }

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
  [[nodiscard]] base::Result<void> check_anchor(const kv::StreamRecord& record);

  StreamVerifier records_;
  std::map<std::int64_t, std::string> anchors_;  // number -> hash
  ChainLink newest_{.seq = 0, .hash = {}};
  bool begins_at_first_ = true;       // the first record was record 1
  std::set<std::string> open_;        // requests that have an intent and no outcome
  std::uint64_t statements_ = 0;      // intents
  std::uint64_t others_ = 0;          // records of a type that this program does not know
  std::optional<ChainLink> carried_;  // what the trail says that it goes on from
};

}  // namespace helios::cli
