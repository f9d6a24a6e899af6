// SPDX-License-Identifier: Apache-2.0
#include "faults/faulty_plugins.hpp"

#include <algorithm>
#include <utility>

namespace helios::test {
namespace {

class NeverCalled final : public hooks::Plugin {
 public:
  explicit NeverCalled(std::shared_ptr<hooks::Plugin> plugin) : plugin_(std::move(plugin)) {}

  [[nodiscard]] const hooks::PluginTraits& traits() const override { return plugin_->traits(); }

  hooks::RunStatus run(hooks::Call& call) override {
    call.result = {};
    return hooks::RunStatus::done;
  }

 private:
  std::shared_ptr<hooks::Plugin> plugin_;
};

class WithoutTenant final : public hooks::Plugin {
 public:
  explicit WithoutTenant(std::shared_ptr<hooks::Plugin> plugin) : plugin_(std::move(plugin)) {}

  [[nodiscard]] const hooks::PluginTraits& traits() const override { return plugin_->traits(); }

  hooks::RunStatus run(hooks::Call& call) override {
    auto context = std::make_shared<hooks::Context>(*call.statement->context);
    context->tenant_id.reset();
    std::erase_if(context->attributes, [](const auto& each) { return each.first == "tenant_id"; });
    call.statement->context = std::move(context);
    return plugin_->run(call);
  }

 private:
  std::shared_ptr<hooks::Plugin> plugin_;
};

}  // namespace

std::shared_ptr<hooks::Plugin> never_called(std::shared_ptr<hooks::Plugin> plugin) {
  return std::make_shared<NeverCalled>(std::move(plugin));
}

std::shared_ptr<hooks::Plugin> without_tenant(std::shared_ptr<hooks::Plugin> plugin) {
  return std::make_shared<WithoutTenant>(std::move(plugin));
}

}  // namespace helios::test
