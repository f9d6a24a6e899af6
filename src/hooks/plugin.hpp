// SPDX-License-Identifier: Apache-2.0
#pragma once

// One plugin as the proxy sees it, whatever runs it: a wasm module, or native code in tests.

#include "base/executor.hpp"
#include "hooks/authentication.hpp"
#include "hooks/statement_execution.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace helios::hooks {

enum class HookPoint {
  authenticate,
  pre_query,
  post_query,
  settled,      // the transaction that a statement ran in has ended
  check_write,  // somebody outside wants to set a key of the plugin's namespace
  event,        // something happened that is about no statement
};

// What happens to a statement when the plugin itself fails.
enum class OnError {
  deny,   // pre_query, authenticate: refuse; post_query, settled: end the session instead of
          // releasing the answer
  allow,  // go on as if the hook had not been there
};

// A key that somebody outside wants to set, by the admin interface or the command line, and to what. Bytes.
struct KeyWrite {
  std::string key;
  std::string value;
};

// Something that happened to the proxy, or that somebody did to it. docs/plugin-abi.md lists the kinds.
struct Event {
  std::string kind;    // "start", "reload", ...
  std::string detail;  // one JSON object, at most kMaxEventBytes
};
inline constexpr std::size_t kMaxEventBytes = 32U << 10;

// Fixed properties of one loaded version of a plugin.
struct PluginTraits {
  std::string name;        // also decides the order among equal `order`
  bool is_first = false;   // runs in front of every plugin that is not, whatever its order
  std::int32_t order = 0;  // smaller runs first
  bool has_authenticate = false;
  bool has_pre_query = false;
  bool has_post_query = false;
  bool has_settled = false;
  bool all_statements = false;  // also those that only manage the session
  OnError on_error = OnError::deny;
};

// How one call of a hook ended.
struct CallResult {
  enum class Status { ok, failed };
  Status status = Status::ok;
  Verdict verdict;                       // of an ok pre_query; check_write: proceed or block
  AuthenticationVerdict authentication;  // of an ok authenticate
  // failed: one line for operators, e.g. "trap: unreachable [in check at 0x1a2]", "timeout after 100 ms".
  std::string failure;
  // The same for clients, where that is less: a place inside of the plugin would tell how a policy is made.
  std::string client_failure;
  bool skips_settled = false;  // of an ok post_query: settled has nothing to tell it
  Receipt receipt;             // ok: what the call rests on

  // Back to an ok that says nothing; cheap when it is that already.
  void reset() {
    if (!receipt.is_empty()) receipt = {};
    if (status == Status::ok && !skips_settled && verdict.action == Verdict::Action::proceed &&
        !verdict.has_limits() && authentication.action == AuthenticationVerdict::Action::defer)
      return;
    *this = {};
  }
};

// One call of one hook, owned by the caller.
struct Call {
  HookPoint point = HookPoint::pre_query;
  const AuthenticationRequest* authentication = nullptr;  // authenticate
  const KeyWrite* write = nullptr;                        // check_write
  const Event* event = nullptr;                           // event
  StatementExecution* statement = nullptr;                // any other
  std::size_t slot = 0;                     // index of the plugin in statement->plugins
  base::Executor* home = nullptr;           // where on_done is posted when the call is pending
  std::move_only_function<void()> on_done;  // moved out by the plugin when it posts it
  CallResult result;                        // valid when done
  // Set while the call is pending, by the caller: nobody waits for the result any more. The plugin ends the call as
  // soon as it can, as failed, and writes nothing then; one that is through already stays so.
  std::atomic<bool> is_cancelled = false;
};

enum class RunStatus {
  done,     // call.result is valid; on_done will not be called
  pending,  // on_done will be posted to call.home exactly once, after call.result became valid
};

// Thread rule: run() may be called from any number of threads at once.
class Plugin {
 public:
  virtual ~Plugin() = default;
  [[nodiscard]] virtual const PluginTraits& traits() const = 0;

  // Its hooks have asked for the tenant or another helios.* setting, or nobody can say that they do not.
  [[nodiscard]] virtual bool looks_at_tenant() const { return true; }

  // Runs one hook call as one transaction on the plugin's namespace. While it is pending, `call` and
  // everything it points to belong to the plugin: the caller neither touches nor destroys them. A
  // pending call always completes (its time is limited). The same StatementExecution is never passed
  // to two calls at once.
  virtual RunStatus run(Call& call) = 0;
};

}  // namespace helios::hooks
