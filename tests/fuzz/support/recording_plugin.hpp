// SPDX-License-Identifier: Apache-2.0
#pragma once

// A native plugin whose verdict is written in the statement, and which keeps count: it knows which
// statements it let pass, and whether every pre_query has had its post_query and its settled.

#include "unit/session/session_harness.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace helios::fuzz {

// What the text of a statement makes the plugin do, in this order.
inline constexpr std::string_view kBlockWord = "block";
inline constexpr std::string_view kFailWord = "broken";      // fails under its on_error
inline constexpr std::string_view kRewriteWord = "rewrit";   // a new text
inline constexpr std::string_view kAnswerWord = "answer";    // rows of its own
inline constexpr std::string_view kPostFailWord = "post_f";  // its post_query fails

inline constexpr std::string_view kNewText = "select 'another text'";

// Thread rule: its hooks may run on any thread; the rest is for one thread, when no hook runs.
class RecordingPlugin {
 public:
  explicit RecordingPlugin(hooks::OnError on_error);

  [[nodiscard]] const std::shared_ptr<session::test::NativePlugin>& plugin() const {
    return plugin_;
  }
  // One line for each call, in order.
  [[nodiscard]] const std::string& calls() const { return calls_; }
  // Takes one leave to run `text` away; false when there is none.
  bool take_permission(const std::string& text);
  // Drops what is kept of statements that are over.
  void forget();
  // Requires: no session runs. Every pre_query that counts had exactly one post_query and one settled.
  void require_settled() const;

 private:
  hooks::CallResult pre_query(hooks::Call& call);
  hooks::CallResult post_query(hooks::Call& call);
  hooks::CallResult settled(hooks::Call& call);

  std::shared_ptr<session::test::NativePlugin> plugin_;
  mutable std::mutex mutex_;
  std::set<std::uint64_t> owed_;       // statements whose post_query is due
  std::set<std::uint64_t> unsettled_;  // whose settled is
  std::multiset<std::string> permitted_;
  std::string calls_;
};

}  // namespace helios::fuzz
