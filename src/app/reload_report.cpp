// SPDX-License-Identifier: Apache-2.0
#include "app/reload_report.hpp"

namespace helios::app {

admin::ReloadReport to_report(const plugins::ReloadResult& result) {
  admin::ReloadReport report{.changes = {}, .errors = result.errors};
  for (const plugins::PluginChange& change : result.changes) {
    report.changes.push_back({.kind = plugins::to_text(change.kind),
                              .name = change.name,
                              .version = change.version,
                              .sha256 = change.sha256,
                              .old_version = change.old_version,
                              .old_sha256 = change.old_sha256});
  }
  return report;
}

}  // namespace helios::app
