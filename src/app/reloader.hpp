// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reloads of configuration and plugins, one at a time: loading takes as long as compiling does and
// runs in the background; the new snapshot is then handed to the workers, and only when all of them
// use it is the reload over.
//
// Thread rule: the control thread, where `done` is called as well.

#include "admin/control.hpp"
#include "base/executor.hpp"
#include "base/faults.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "net/tls_contexts.hpp"
#include "session/environment.hpp"

#include <functional>
#include <string>
#include <vector>

namespace helios::app {

struct LoadedSnapshot {
  session::Snapshot snapshot;
  net::TlsContexts tls;
  // What has been done so far. With `is_refused`, nothing: `report.errors` says why.
  admin::ReloadReport report;
  bool is_refused = false;
};

// How the reloader reaches the rest of the process.
struct ReloadSteps {
  // Loads everything anew; called in the background.
  std::function<LoadedSnapshot()> load;
  // Puts the snapshot into force everywhere, then runs the task.
  std::function<void(const LoadedSnapshot&, base::Task)> install;
  // Told of each reload, on the control thread; may be empty. `outcome` is one line for people.
  std::function<void()> on_begin;
  std::function<void(const std::string& outcome)> on_end;
};

class Reloader {
 public:
  using OnReloaded = admin::OnReloaded;

  // Lifetime: `background` is stopped before the reloader is destroyed, the others outlive it. A step that throws
  // ends the reload with an error, and the next one can begin.
  Reloader(ReloadSteps steps, base::Executor& background, base::Executor& control, base::Log& log,
           base::FaultSink& faults);

  // Reloads, unless that is happening already. Logs what became of each plugin. Errors: unavailable (another reload is
  // under way, or this one has failed inside), invalid (the configuration is wrong, or demands what is not so, and nothing
  // changed; a line for each reason). Where only some plugins could not be loaded, the report names them: their old
  // versions, and all others, are in force.
  void request(OnReloaded done);

  // Like request(), for somebody who cannot try again: one more reload follows the present one.
  void request_soon();

 private:
  void start(OnReloaded done);
  void install(LoadedSnapshot loaded);
  void finish(const LoadedSnapshot& loaded);
  void fail();
  void end(const std::string& outcome, base::Result<admin::ReloadReport> result);

  ReloadSteps steps_;
  base::Executor& background_;
  base::Executor& control_;
  base::Log& log_;
  base::FaultSink& faults_;
  bool running_ = false;
  bool again_ = false;
  OnReloaded done_;  // running
};

}  // namespace helios::app
