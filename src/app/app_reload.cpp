// SPDX-License-Identifier: Apache-2.0
//
// How a running App takes over a new configuration: see app.hpp and reloader.hpp.

#include "app/app.hpp"
#include "app/login_rules.hpp"
#include "app/reload_report.hpp"
#include "app/store_settings.hpp"
#include "app/tls_files.hpp"
#include "base/text.hpp"
#include "config/restart_keys.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace helios::app {

// In the background. A wrong configuration, or plugins that are not those that it demands, change nothing.
LoadedSnapshot App::load_snapshot() {
  const auto refuse = [this](const std::string& why) {
    std::vector<std::string> errors = base::split_lines(why);
    for (const auto& line : errors) {
      log_.write(base::LogLevel::error, "reload: " + line + "; nothing changed");
    }
    return LoadedSnapshot{in_force_, tls_, {.changes = {}, .errors = std::move(errors)}, true};
  };
  auto config = in_force_.config;
  auto tls = tls_;
  auto login_rules = in_force_.login_rules;
  std::optional<AdminService::Access> access;
  if (reconfiguration_.read) {
    auto read = reconfiguration_.read();
    if (!read) return refuse(read.error().message);
    for (const auto key : config::keep_restart_keys(*config, *read)) {
      log_.write(base::LogLevel::warning,
                 "reload: " + std::string(key) + " has changed: that takes a restart");
    }
    if (const auto plans = to_anchor_plans(read->state); !plans)
      return refuse(plans.error().message);
    // Tokens and certificates are read again as well: their files may have changed alone.
    auto renewed_tls = load_tls(*read, log_);
    if (!renewed_tls) return refuse(renewed_tls.error().message);
    tls = *std::move(renewed_tls);
    auto renewed_rules = load_login_rules(*read, state_.hmac_key());
    if (!renewed_rules) return refuse(renewed_rules.error().message);
    login_rules = *std::move(renewed_rules);
    warn_of_idle_rules(*read, login_rules.get(), log_);
    if (admin_) {
      auto renewed = AdminService::load(read->admin);
      if (!renewed) return refuse(renewed.error().message);
      access = *std::move(renewed);
    }
    config = std::make_shared<const config::Config>(*std::move(read));
  }
  auto loaded = host_.reload(config->plugins);
  auto report = to_report(loaded);
  if (loaded.is_refused) return {in_force_, tls_, std::move(report), true};
  if (access) admin_->replace(*std::move(access));
  return {{std::move(config), std::move(loaded.chain), std::move(login_rules)},
          std::move(tls),
          std::move(report),
          false};
}

void App::install(const LoadedSnapshot& loaded, base::Task done) {
  const session::Snapshot snapshot = loaded.snapshot;
  events_->reload(
      snapshot.config->file_sha256, loaded.is_refused, loaded.report,
      [this, snapshot, tls = loaded.tls, done = std::move(done)](base::Task tell_rest) mutable {
        put_in_force(snapshot, std::move(tls),
                     [done = std::move(done), tell_rest = std::move(tell_rest)]() mutable {
                       tell_rest();
                       done();
                     });
      });
}

void App::put_in_force(const session::Snapshot& snapshot, net::TlsContexts tls, base::Task done) {
  in_force_ = snapshot;
  tls_ = std::move(tls);
  state_.set(*snapshot.config);
  connection_limits_.set_limits(snapshot.config->limits);
  identity_rule_use_.set_rules(snapshot.config->identity);
  if (reconfiguration_.set_log_level) {
    reconfiguration_.set_log_level(snapshot.config->log.level);
  }
  proxy_->replace_snapshot(snapshot, tls_, std::move(done));
}

}  // namespace helios::app
