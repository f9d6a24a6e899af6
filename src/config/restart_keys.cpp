// SPDX-License-Identifier: Apache-2.0

#include "config/restart_keys.hpp"

namespace helios::config {
namespace {

class Keeper {
 public:
  template <typename T>
  void keep(std::string_view key, const T& running, T& next) {
    if (next == running) return;
    next = running;
    changed_.push_back(key);
  }

  [[nodiscard]] std::vector<std::string_view> changed() && { return std::move(changed_); }

 private:
  std::vector<std::string_view> changed_;
};

}  // namespace

std::vector<std::string_view> keep_restart_keys(const Config& running, Config& next) {
  Keeper keeper;
  keeper.keep("listen.addresses", running.listen.addresses, next.listen.addresses);
  keeper.keep("listen.unix_socket_dir", running.listen.unix_socket_dir,
              next.listen.unix_socket_dir);
  keeper.keep("listen.unix_socket_port", running.listen.unix_socket_port,
              next.listen.unix_socket_port);
  keeper.keep("listen.unix_socket_mode", running.listen.unix_socket_mode,
              next.listen.unix_socket_mode);
  keeper.keep("listen.unix_socket_group", running.listen.unix_socket_group,
              next.listen.unix_socket_group);
  keeper.keep("listen.workers", running.listen.workers, next.listen.workers);
  keeper.keep("listen.engine", running.listen.engine, next.listen.engine);
  keeper.keep("admin.addresses", running.admin.addresses, next.admin.addresses);
  const Plugins& plugins = running.plugins;
  keeper.keep("plugins.slow_lane_threads", plugins.slow_lane_threads,
              next.plugins.slow_lane_threads);
  keeper.keep("plugins.pool_instances", plugins.pool_instances, next.plugins.pool_instances);
  keeper.keep("plugins.memory_reservation_mb", plugins.memory_reservation_mb,
              next.plugins.memory_reservation_mb);
  keeper.keep("state.directory", running.state.directory, next.state.directory);
  keeper.keep("state.durability", running.state.durability, next.state.durability);
  keeper.keep("state.backups", running.state.backups, next.state.backups);
  keeper.keep("state.archive", running.state.archive, next.state.archive);
  keeper.keep("state.salvage", running.state.salvage, next.state.salvage);
  keeper.keep("state.namespaces", running.state.namespaces, next.state.namespaces);
  return std::move(keeper).changed();
}

}  // namespace helios::config
