// SPDX-License-Identifier: Apache-2.0
#include "hooks/chain.hpp"

#include <algorithm>
#include <cassert>
#include <tuple>
#include <utility>

namespace helios::hooks {
namespace {

constexpr const char* kDefaultRefusalState = "42000";
constexpr const char* kPluginFailureState = "58000";  // system_error: the policy itself is broken

bool runs_before(const std::shared_ptr<Plugin>& a, const std::shared_ptr<Plugin>& b) {
  return std::tie(a->traits().order, a->traits().name) <
         std::tie(b->traits().order, b->traits().name);
}

}  // namespace

Chain::Chain(std::vector<std::shared_ptr<Plugin>> plugins) : plugins_(std::move(plugins)) {
  std::ranges::stable_sort(plugins_, runs_before);
  for (const auto& plugin : plugins_) {
    const PluginTraits& traits = plugin->traits();
    has_hooks_ |= traits.has_pre_query || traits.has_post_query;
    wants_all_statements_ |= traits.all_statements;
    may_deny_ |= traits.has_pre_query;
  }
}

ChainRun::ChainRun(base::Executor& home, std::function<void()> on_progress)
    : home_(home), on_progress_(std::move(on_progress)) {}

RunStatus ChainRun::start(HookPoint point, StatementExecution& statement,
                          bool is_session_statement) {
  assert(!pending_);
  statement_ = &statement;
  point_ = point;
  session_statement_ = is_session_statement;
  next_ = 0;
  result_ = {};
  if (point == HookPoint::pre_query) statement.plugins.resize(statement.chain->plugins().size());
  return advance();
}

bool ChainRun::wants(const Plugin& plugin) const {
  const PluginTraits& traits = plugin.traits();
  if (session_statement_ && !traits.all_statements) return false;
  if (point_ == HookPoint::pre_query) return traits.has_pre_query;
  if (!traits.has_post_query) return false;
  return !traits.has_pre_query || statement_->plugins[next_].post_query_owed;
}

RunStatus ChainRun::advance() {
  const auto& plugins = statement_->chain->plugins();
  for (; next_ < plugins.size() && !result_.refused; ++next_) {
    if (!wants(*plugins[next_])) continue;
    call_.point = point_;
    call_.statement = statement_;
    call_.slot = next_;
    call_.home = &home_;
    call_.result = {};
    call_.on_done = [this] { on_call_done(); };
    if (plugins[next_]->run(call_) == RunStatus::pending) {
      pending_ = true;
      return RunStatus::pending;
    }
    absorb();
  }
  return RunStatus::done;
}

void ChainRun::on_call_done() {
  absorb();
  ++next_;
  if (advance() == RunStatus::pending) return;
  pending_ = false;
  on_progress_();
}

// Takes over what the plugin at next_ answered.
void ChainRun::absorb() {
  const PluginTraits& traits = statement_->chain->plugins()[next_]->traits();
  PluginRecord& record = statement_->plugins[next_];
  const CallResult& answer = call_.result;
  const bool failed = answer.status == CallResult::Status::failed;
  const bool deny = traits.on_error == OnError::deny;
  if (point_ == HookPoint::post_query) {
    record.post_query_owed = false;
    if (failed && deny) {
      result_.fatal = true;
      result_.sqlstate = kPluginFailureState;
      result_.message = "plugin \"" + traits.name + "\" failed in post_query";
    }
    return;
  }
  record.post_query_owed = !failed || !deny;
  if (failed && deny) {
    result_ = {
        .refused = true,
        .sqlstate = kPluginFailureState,
        .message = "Query refused: plugin \"" + traits.name + "\" failed (" + answer.failure + ")",
        .fatal = false};
  } else if (!failed && answer.verdict.action == Verdict::Action::block) {
    const std::string& state = answer.verdict.sqlstate;
    result_ = {.refused = true,
               .sqlstate = state.size() == 5 ? state : kDefaultRefusalState,
               .message = "Query blocked by plugin: " + answer.verdict.text,
               .fatal = false};
  } else if (!failed && answer.verdict.action == Verdict::Action::rewrite) {
    statement_->rewritten = answer.verdict.text;
  }
}

}  // namespace helios::hooks
