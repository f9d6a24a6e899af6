// SPDX-License-Identifier: Apache-2.0
#pragma once

// How often each of [[identity.rules]] was the first to fit a client: a rule that never does is misspelt, or stands behind
// one that takes its clients.
//
// Thread rule: any thread. Locked once for each login that a rule fits.

#include "config/config.hpp"
#include "metrics/registry.hpp"
#include "session/environment.hpp"

#include <cstdint>
#include <mutex>
#include <vector>

namespace helios::app {

class IdentityRuleUse final : public session::IdentityRuleUse {
 public:
  struct Count {
    config::IdentityRule rule;
    std::uint64_t matches = 0;
  };

  explicit IdentityRuleUse(const config::Identity& rules) { set_rules(rules); }

  // These are in force from now on. Rules that were so before keep their counts.
  void set_rules(const config::Identity& rules);

  // A rule that is not in force any more counts nowhere.
  void note_match(const config::IdentityRule& rule) override;

  // In the order of the configuration.
  [[nodiscard]] std::vector<Count> read() const;

  // Requires: this outlives the source.
  [[nodiscard]] metrics::Source metrics_source() const;

 private:
  mutable std::mutex mutex_;  // guards counts_
  std::vector<Count> counts_;
};

}  // namespace helios::app
