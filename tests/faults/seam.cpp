// SPDX-License-Identifier: Apache-2.0
#include "faults/seam.hpp"

#undef MemoryStore
#undef PluginHost

#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

namespace helios::test {
namespace {

std::unique_ptr<kv::Store> with_fault(std::unique_ptr<kv::Store> store) {
  if (planted_fault() == "shared_namespace") {
    return std::make_unique<SharedNamespaceStore>(std::move(store));
  }
  if (planted_fault() == "stale_write") return std::make_unique<StaleWriteStore>(std::move(store));
  return store;
}

std::shared_ptr<hooks::Plugin> with_fault(std::shared_ptr<hooks::Plugin> plugin) {
  if (planted_fault() == "hook_not_called") return never_called(std::move(plugin));
  if (planted_fault() == "tenant_ignored") return without_tenant(std::move(plugin));
  return plugin;
}

std::shared_ptr<const hooks::Chain> with_fault(const hooks::Chain& chain) {
  std::vector<std::shared_ptr<hooks::Plugin>> plugins;
  for (const auto& plugin : chain.plugins()) plugins.push_back(with_fault(plugin));
  return std::make_shared<const hooks::Chain>(std::move(plugins));
}

}  // namespace

std::string_view planted_fault() {
  const char* fault = std::getenv("HELIOS_PLANTED_FAULT");
  if (fault == nullptr) {
    std::fputs("HELIOS_PLANTED_FAULT is not set\n", stderr);
    std::exit(EXIT_FAILURE);
  }
  return fault;
}

PlantedStore::PlantedStore(const kv::Limits& limits, const base::Clock& clock)
    : PlantedStore(std::make_unique<kv::MemoryStore>(limits, clock)) {}

PlantedStore::PlantedStore(std::unique_ptr<kv::MemoryStore> memory)
    : ForwardingStore(nullptr), memory_(memory.get()) {
  stand_before(with_fault(std::move(memory)));
}

base::Result<std::shared_ptr<const hooks::Chain>> PlantedPluginHost::load() {
  auto chain = host_.load();
  if (!chain) return chain;
  return with_fault(**chain);
}

plugins::ReloadResult PlantedPluginHost::reload(const config::Plugins& config) {
  auto result = host_.reload(config);
  result.chain = with_fault(*result.chain);
  return result;
}

}  // namespace helios::test
