// SPDX-License-Identifier: Apache-2.0
#pragma once

// The blocks of the process: keeps the list, puts it into force everywhere, and writes it down, so that it is there after a
// restart.
//
// What counts at once is that somebody is out: a change is in force before it is on disk. Where the disk fails, the change
// holds until the process ends, and its outcome says so.
//
// On disk a block is an entry of kv::kProxyNamespace, "block:KIND:NAME", with the moment it was made and the reason; it
// expires when the block does. Without a state directory nothing is written.
//
// Flow: 1 load(), before anybody is served; 2 start(), once there is somebody to put blocks into force with; 3 block() and
// unblock().
//
// Thread rule: the control thread; read() and the metrics from any. Lifetime: what is passed outlives it.

#include "admin/control.hpp"
#include "base/executor.hpp"
#include "base/log.hpp"
#include "blocks/block_list.hpp"
#include "kv/store.hpp"
#include "metrics/registry.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace helios::app {

class BlockKeeper {
 public:
  // How it reaches the rest of the process.
  struct Steps {
    // Puts these into force everywhere, then runs the task on the control thread, with the number of sessions that were
    // ended; destroys it unrun when the process ends.
    std::function<void(const blocks::SharedBlockSet&, std::move_only_function<void(std::size_t)>)>
        put_in_force;
    // Runs the task on the control thread, so many milliseconds later.
    std::function<void(std::int64_t, base::Task)> call_after;
    // A block is in force, and so many sessions have ended.
    std::function<void(const blocks::Block&, std::uint64_t)> on_blocked;
    // A block is in force no longer: "taken away" or "expired".
    std::function<void(const blocks::Block&, std::string_view)> on_unblocked;
  };

  // `has_disk`: what the store is told outlives the process.
  BlockKeeper(kv::Store& store, base::Executor& control, base::Log& log, bool has_disk);

  // What earlier runs have left, in force for those who are made with what snapshot() returns. An entry that cannot be read
  // blocks all the same, for a reason that says so; one whose name cannot be read is left out, with a line in the log.
  void load();
  [[nodiscard]] blocks::SharedBlockSet snapshot() { return list_.snapshot(); }
  void start(Steps steps);

  // Requires, both: start() was called. See admin::Control.
  void block(admin::BlockRequest request, admin::OnBlocked done);
  void unblock(blocks::Kind kind, const std::string& name, admin::OnBlocked done);

  // By kind and name.
  [[nodiscard]] std::vector<blocks::Block> read() const;
  // Requires: this outlives the source.
  [[nodiscard]] metrics::Source metrics_source() const;

 private:
  struct Change;

  void take(const kv::Item& item);
  void show();
  void carry_out(std::shared_ptr<Change> change);
  void write(const std::shared_ptr<Change>& change);
  void on_written(Change& change, bool is_kept);
  void end(Change& change);
  [[nodiscard]] kv::Namespace* open_space();
  void set_timer();
  void expire();

  kv::Store& store_;
  base::Executor& control_;
  base::Log& log_;
  const bool has_disk_;
  Steps steps_;
  blocks::BlockList list_;
  std::optional<std::int64_t>
      timer_ms_;              // when the next look at the clock is due; nullopt: none is
  mutable std::mutex mutex_;  // guards what follows
  blocks::SharedBlockSet shown_;
};

}  // namespace helios::app
