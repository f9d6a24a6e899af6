// SPDX-License-Identifier: Apache-2.0
#pragma once

// Plugins of ABI 2 from a few lines of text. A hook that returns a number other than 0 fails with that number, which is how these
// guests report what an import said.

#include "plugin_fixture.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace helios::plugins {

// Code that ends the hook with what `call` returned unless that is `wanted`.
std::string expecting(int wanted, const std::string& call);

// An exported hook with this code, and a local $code.
std::string hook(std::string_view name, const std::string& body);

// Code that stores what is at 1024 under "key".
std::string store(const std::string& length);

// One plugin, "p": every import, one page of memory with some texts in it, and the hooks of the test.
class Abi2Test : public PatientPluginTest {
 protected:
  // Loads it, and makes a statement to run its hooks on.
  void add(const std::string& functions, const std::string& manifest = "");
  hooks::CallResult run(hooks::HookPoint point);
  // Loads it with this pre_query, and runs that.
  hooks::CallResult pre_query(const std::string& body);

  // What field `number` is in a hook; "-1" and the like when it has no value.
  std::string field(int number, hooks::HookPoint point);
  std::string number(int field, hooks::HookPoint point);
  // What a hook with this code stores under "key", or the number that it returns.
  std::string run_field(const std::string& body, hooks::HookPoint point);

  std::function<void(hooks::StatementExecution&)> prepare;  // the statement of run_field()
  WaitingExecutor home_;
  std::shared_ptr<const hooks::Chain> chain_;
  std::unique_ptr<Statement> statement_;
};

}  // namespace helios::plugins
