// SPDX-License-Identifier: Apache-2.0
#pragma once

// Asks the plugin of a namespace about a key that somebody outside wants to set, before it is set: its hook check_write.
// What a plugin reads from its keys only the plugin knows, so a mistyped value is found here or by nobody.
//
// The hook runs on the slow lane, within the plugin's time limit, and can read the namespace but not change it. Reading and
// the write that follows are two transactions: what the hook has read may have changed in between.
//
// Flow: 1 judge() or note_forced() per write; 2 stop(), when the threads of the slow lane and of the store have ended.
// Each write that is not allowed leaves a line in the log: plugin, key and reason, but not the value.
//
// Thread rule: one thread, which runs the executor that is passed. Lifetime: the host outlives it.

#include "base/executor.hpp"
#include "base/log.hpp"
#include "hooks/plugin.hpp"
#include "plugins/plugin_host.hpp"

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>

namespace helios::plugins {

struct WriteOpinion {
  enum class Kind {
    allowed,  // also where no plugin judges the namespace
    refused,  // by the plugin
    failed,   // the plugin trapped, or took too long: nobody can say, so the write must not happen
  };
  Kind kind = Kind::allowed;
  std::string plugin;  // who says so; empty: nobody was asked
  std::string
      reason;  // refused: the plugin's own, up to 4096 bytes of UTF-8; failed: what went wrong
};

class WriteJudge {
 public:
  using Done = std::move_only_function<void(WriteOpinion)>;

  WriteJudge(const PluginHost& host, base::Log& log);
  ~WriteJudge();
  WriteJudge(const WriteJudge&) = delete;
  WriteJudge& operator=(const WriteJudge&) = delete;

  // Calls `done` once: at once where nobody judges, else on `home`, which is the calling thread's. How many writes wait for
  // their opinion is for the caller to limit. `done` is destroyed without a call where stop() comes first.
  void judge(std::string_view space, hooks::KeyWrite write, std::shared_ptr<base::Executor> home,
             Done done);

  // Somebody writes without asking: counts it and logs it, where a plugin would have been asked.
  void note_forced(std::string_view space, std::string_view key);

  // Forgets what still waits. Requires: nothing runs any more that could go on with it.
  void stop();

 private:
  struct Pending;
  void finish(std::list<std::unique_ptr<Pending>>::iterator at);
  void log_objection(const WriteOpinion& opinion, std::string_view key) const;

  const PluginHost& host_;
  base::Log& log_;
  std::list<std::unique_ptr<Pending>> pending_;
};

}  // namespace helios::plugins
