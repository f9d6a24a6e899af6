// SPDX-License-Identifier: Apache-2.0
#pragma once

// Quotas of the store that are nearly used up: one line in the log for each, and what /readyz tells, so that somebody
// can act before writes are refused.
//
// Flow: look() every now and then. A quota is nearly used up from 80 % on, until less than 70 % are used: one that goes up
// and down around a single mark would fill the log.
//
// Thread rule: look() on one thread; warnings() on any.

#include "base/log.hpp"
#include "kv/store.hpp"

#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace helios::app {

class UsageWatch {
 public:
  // Lifetime: both outlive the watch.
  UsageWatch(kv::Store& store, base::Log& log) : store_(store), log_(log) {}

  // `has_directory`: streams are on disk. Otherwise they are rings, which are full as a matter of course.
  // `troubles`: what archive and anchors say of themselves, which they have logged: a line each.
  void look(bool has_directory, const std::vector<std::string>& troubles = {});

  // One line for each quota that is nearly used up, as of the last look; the last line may say how many more
  // there are.
  [[nodiscard]] std::vector<std::string> warnings() const;

 private:
  struct Quota {
    std::string what;  // "the namespace p holds", "all streams together hold"
    std::string key;   // "[kv] max_total_bytes"
    std::uint64_t used = 0;
    std::uint64_t limit = 0;
  };
  // By what and key.
  using Warnings = std::map<std::string, std::string>;

  [[nodiscard]] std::vector<Quota> measure(bool has_directory);

  kv::Store& store_;
  base::Log& log_;
  mutable std::mutex mutex_;  // guards what follows
  Warnings warnings_;
};

}  // namespace helios::app
