// SPDX-License-Identifier: Apache-2.0
#pragma once

// Puts a planted fault into the proxy without a trace of it in the product: heliosproxy_faulty
// compiles those parts of the composition root (src/app/) once more which name the two parts below, with this file
// included before everything else, so that they make these. The rest is linked as it is.
//
// The environment variable HELIOS_PLANTED_FAULT names the fault: shared_namespace, stale_write,
// hook_not_called or tenant_ignored.

#include "faults/faulty_plugins.hpp"
#include "faults/faulty_stores.hpp"
#include "kv/memory_store.hpp"
#include "kv/rocksdb/archiver.hpp"
#include "kv/rocksdb/disk_journal.hpp"
#include "plugins/event_announcer.hpp"
#include "plugins/plugin_host.hpp"
#include "plugins/write_judge.hpp"

#include <memory>
#include <string_view>
#include <vector>

namespace helios::test {

[[nodiscard]] std::string_view planted_fault();

class PlantedStore final : public ForwardingStore {
 public:
  PlantedStore(const kv::Limits& limits, const base::Clock& clock);
  void set_limits(const kv::Limits& limits) { memory_->set_limits(limits); }
  std::size_t remove_expired() { return memory_->remove_expired(); }
  void attach(kv::Journal& journal, kv::Durabilities durabilities) {
    memory_->attach(journal, std::move(durabilities));
  }
  [[nodiscard]] kv::Version last_used_version() { return memory_->last_used_version(); }
  // What a journal recovers.
  operator kv::MemoryStore&() { return *memory_; }

 private:
  PlantedStore(std::unique_ptr<kv::MemoryStore> memory);

  kv::MemoryStore* memory_;
};

// What the composition root uses of a plugins::PluginHost.
class PlantedPluginHost {
 public:
  template <typename... Arguments>
  explicit PlantedPluginHost(Arguments&&... arguments)
      : host_(std::forward<Arguments>(arguments)...) {}

  [[nodiscard]] base::Result<std::shared_ptr<const hooks::Chain>> load();
  [[nodiscard]] plugins::ReloadResult reload(const config::Plugins& config);
  [[nodiscard]] std::vector<plugins::PluginInfo> describe() const { return host_.describe(); }
  [[nodiscard]] std::vector<std::shared_ptr<plugins::WasmPlugin>> running() const {
    return host_.running();
  }
  [[nodiscard]] std::uint32_t instances() const { return host_.instances(); }
  [[nodiscard]] std::optional<std::string> why_full() const { return host_.why_full(); }
  // Of those who ask its plugins about writes.
  operator const plugins::PluginHost&() const { return host_; }

 private:
  plugins::PluginHost host_;
};

}  // namespace helios::test

namespace helios::kv {
using PlantedStore = test::PlantedStore;
}
namespace helios::plugins {
using PlantedPluginHost = test::PlantedPluginHost;
}

#define MemoryStore PlantedStore
#define PluginHost PlantedPluginHost
