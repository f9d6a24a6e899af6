// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reloads of the plugin folder, one at a time: loading takes as long as compiling does and runs in
// the background; the new chain is then handed to the workers, and only when all of them use it is
// the reload over.
//
// Thread rule: the control thread, where `done` is called as well.

#include "base/executor.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "plugins/plugin_host.hpp"

#include <functional>
#include <memory>

namespace helios::app {

// How the reloader reaches the rest of the process.
struct ReloadSteps {
  // Loads the folder; called in the background.
  std::function<plugins::ReloadResult()> load;
  // Puts a chain into force everywhere, then runs the task.
  std::function<void(const std::shared_ptr<const hooks::Chain>&, base::Task)> install;
};

class Reloader {
 public:
  using OnReloaded = std::move_only_function<void(base::Result<void>)>;

  // Lifetime: `background` is stopped before the reloader is destroyed, `control` outlives it.
  Reloader(ReloadSteps steps, base::Executor& background, base::Executor& control, base::Log& log);

  // Reloads, unless that is happening already. Errors: unavailable (another reload is under way),
  // invalid (some plugins could not be loaded; their old versions, and all others, are in force).
  void request(OnReloaded done);

  // Like request(), for somebody who cannot try again: one more reload follows the present one.
  void request_soon();

 private:
  void start(OnReloaded done);
  void finish(const plugins::ReloadResult& result);

  ReloadSteps steps_;
  base::Executor& background_;
  base::Executor& control_;
  base::Log& log_;
  bool running_ = false;
  bool again_ = false;
  OnReloaded done_;  // running
};

}  // namespace helios::app
