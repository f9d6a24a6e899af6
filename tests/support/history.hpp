// SPDX-License-Identifier: Apache-2.0
#pragma once

// What committed transactions read and wrote, and the proof that they could have run one after the other.
//
// The proof is a graph of what must come before what:
//   - whoever wrote a value comes before whoever read it,
//   - writers of one key come in their order,
//   - whoever read a key, its absence included, comes before whoever wrote it next; for a scan that goes for
//     every key of its range, also for those that it did not show,
//   - whoever had its answer comes before whoever began afterwards.
// Without a cycle there is an order in which each transaction, run alone, sees what it saw, and which agrees
// with the clock on the wall: the history is strictly serializable. A cycle is a fault, and is reported.
//
// Every value is written once in a history, so that it names its writer. The order of the writers of a key,
// and which of several absences was seen, come from `version`. That is a hint and nothing to be trusted:
// whatever it says, a graph without a cycle is a proof.
//
// Counters are keys of their own, whose values repeat. All who change one come in a row, so what it holds between two of
// them is known; who only asked, or was refused, has its place between two of them. Every answer has to be right there.

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace helios::test {

// A scan: all keys with this prefix behind `after`, up to `last` where that is given.
struct HistoryScan {
  std::string prefix = {};
  std::string after = {};
  std::optional<std::string> last = {};  // the page was full: it says nothing of what follows
  std::map<std::string, std::uint64_t> shown = {};  // key -> version
};

// An attempt to add to a counter, and what it was told.
struct HistoryCharge {
  std::int64_t amount = 0;  // 0 only asks; it is made when the sum stays within `limit`
  std::int64_t limit = std::numeric_limits<std::int64_t>::max();
  bool is_made = false;
};

// What one transaction did to a counter, in this order.
struct HistoryCounter {
  std::optional<std::int64_t> seen = {};  // by a read, before any charge; 0: it was absent
  std::vector<HistoryCharge> charges = {};
  bool is_erased = false;
};

// One committed transaction.
struct HistoryRecord {
  std::string name;
  // Moments: any one that is not later than its first read, and any one that is not earlier than its answer.
  std::uint64_t began = 0;
  std::uint64_t ended = 0;
  // That it committed under; of one that only read, the version at which its reads held.
  std::uint64_t version = 0;
  std::map<std::string, std::optional<std::string>> reads =
      {};  // not of what it had written itself
  std::map<std::string, std::optional<std::string>> writes =
      {};  // the last one of each key; nullopt = delete
  std::vector<HistoryScan> scans = {};
  std::map<std::string, HistoryCounter> counters = {};  // no key that is read or written otherwise
};

// Empty when the history is strictly serializable; otherwise what is wrong, with the transactions in it.
[[nodiscard]] std::string find_anomaly(const std::vector<HistoryRecord>& history);

}  // namespace helios::test
