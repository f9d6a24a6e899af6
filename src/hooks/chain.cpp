// SPDX-License-Identifier: Apache-2.0
#include "hooks/chain.hpp"

#include <algorithm>
#include <cassert>
#include <tuple>
#include <utility>

namespace helios::hooks {
namespace {

constexpr const char* kDefaultRefusalState = "42000";
constexpr const char* kAuthenticationDeniedState = "28000";
constexpr const char* kPluginFailureState = "58000";  // system_error: the policy itself is broken

bool runs_before(const std::shared_ptr<Plugin>& a, const std::shared_ptr<Plugin>& b) {
  const PluginTraits& one = a->traits();
  const PluginTraits& other = b->traits();
  return std::tie(other.is_first, one.order, one.name) <
         std::tie(one.is_first, other.order, other.name);
}

void limit_answer(const PluginTraits& traits, const Verdict& verdict, StatementExecution& out) {
  if (!verdict.has_limits()) return;
  if (!out.limits) out.limits = std::make_shared<AnswerLimits>();
  const auto limit = [&](std::uint64_t most) {
    return AnswerLimit{.most = most, .plugin = traits.name, .hint = verdict.hint};
  };
  if (verdict.max_rows) AnswerLimits::lower(out.limits->rows, limit(*verdict.max_rows));
  if (verdict.max_bytes) AnswerLimits::lower(out.limits->bytes, limit(*verdict.max_bytes));
}

}  // namespace

std::string_view to_word(DecidedBy decided_by) {
  switch (decided_by) {
    case DecidedBy::rule: return "rule";
    case DecidedBy::verdict: return "verdict";
    case DecidedBy::on_error: return "on_error";
    case DecidedBy::login: return "login";
    case DecidedBy::cap: return "cap";
  }
  return "";
}

Chain::Chain(std::vector<std::shared_ptr<Plugin>> plugins) : plugins_(std::move(plugins)) {
  std::ranges::stable_sort(plugins_, runs_before);
  for (const auto& plugin : plugins_) {
    const PluginTraits& traits = plugin->traits();
    has_authenticate_ |= traits.has_authenticate;
    has_hooks_ |= traits.has_pre_query || traits.has_post_query || traits.has_settled;
    has_settled_ |= traits.has_settled;
    wants_all_statements_ |= traits.all_statements;
    may_deny_ |= traits.has_pre_query;
  }
}

bool Chain::looks_at_tenant() const {
  return std::ranges::any_of(plugins_,
                             [](const auto& plugin) { return plugin->looks_at_tenant(); });
}

ChainRun::ChainRun(base::Executor& home, std::function<void()> on_progress)
    : home_(home), on_progress_(std::move(on_progress)) {}

RunStatus ChainRun::start(HookPoint point, StatementExecution& statement,
                          bool is_session_statement) {
  assert(!pending_);
  if (chain_ != statement.chain) chain_ = statement.chain;
  statement_ = &statement;
  request_ = nullptr;
  point_ = point;
  session_statement_ = is_session_statement;
  next_ = 0;
  result_.reset();
  fault_ = nullptr;
  is_cancelled_ = false;
  // Also where a fault kept pre_query from beginning.
  if (statement.plugins.size() < chain_->plugins().size()) {
    statement.plugins.resize(chain_->plugins().size());
  }
  return advance();
}

RunStatus ChainRun::authenticate(const AuthenticationRequest& request) {
  assert(!pending_);
  chain_ = request.chain;
  statement_ = nullptr;
  request_ = &request;
  request_receipt_ = {};
  point_ = HookPoint::authenticate;
  next_ = 0;
  result_.reset();
  fault_ = nullptr;
  return advance();
}

void ChainRun::cancel() {
  assert(pending_ && point_ == HookPoint::pre_query);
  is_cancelled_ = true;
  call_.is_cancelled.store(true, std::memory_order_relaxed);
}

const ChainResult& ChainRun::result() {
  if (fault_) std::rethrow_exception(std::exchange(fault_, nullptr));
  return result_;
}

// Nothing that later plugins could say counts any more.
bool ChainRun::is_settled() const {
  if (result_.refused || result_.identity || is_cancelled_ || (fault_ && !is_end())) return true;
  return point_ == HookPoint::pre_query && statement_->answer != nullptr;
}

bool ChainRun::wants(const Plugin& plugin) const {
  const PluginTraits& traits = plugin.traits();
  if (point_ == HookPoint::authenticate) return traits.has_authenticate;
  if (session_statement_ && !traits.all_statements) return false;
  if (point_ == HookPoint::pre_query) return traits.has_pre_query;
  const PluginRecord& record = statement_->plugins[next_];
  if (point_ == HookPoint::settled)
    return traits.has_settled && !record.skips_settled &&
           (!traits.has_pre_query || record.settled_owed);
  if (!traits.has_post_query) return false;
  return !traits.has_pre_query || record.post_query_owed;
}

RunStatus ChainRun::advance() {
  const auto& plugins = chain_->plugins();
  for (; next_ < plugins.size() && !is_settled(); ++next_) {
    if (!wants(*plugins[next_])) continue;
    call_.point = point_;
    call_.authentication = request_;
    call_.statement = statement_;
    call_.slot = next_;
    call_.home = &home_;
    call_.result.reset();
    call_.is_cancelled.store(false, std::memory_order_relaxed);
    try {
      if (!call_.on_done) call_.on_done = [this] { on_call_done(); };
      if (plugins[next_]->run(call_) == RunStatus::pending) {
        pending_ = true;
        return RunStatus::pending;
      }
      absorb();
    } catch (...) {
      note_fault();
    }
  }
  return RunStatus::done;
}

// Of the plugin at next_.
void ChainRun::note_fault() {
  if (!fault_) fault_ = std::current_exception();
  if (!is_end()) return;
  PluginRecord& record = statement_->plugins[next_];
  (point_ == HookPoint::post_query ? record.post_query_owed : record.settled_owed) = false;
}

// Nobody above would tell the session of what is thrown here.
void ChainRun::on_call_done() {
  try {
    absorb();
  } catch (...) {
    note_fault();
  }
  ++next_;
  if (advance() == RunStatus::pending) return;
  pending_ = false;
  on_progress_();
}

// Takes over what the plugin at next_ answered.
void ChainRun::absorb() {
  const PluginTraits& traits = chain_->plugins()[next_]->traits();
  Receipt& receipt = statement_ == nullptr ? request_receipt_ : statement_->receipt;
  receipt.add(call_.result.receipt, traits.on_error == OnError::deny);
  switch (point_) {
    case HookPoint::authenticate: absorb_authenticate(traits); break;
    case HookPoint::pre_query: absorb_pre_query(traits); break;
    case HookPoint::post_query:
      statement_->plugins[next_].post_query_owed = false;
      statement_->plugins[next_].skips_settled = call_.result.skips_settled;
      absorb_end(traits, "post_query");
      break;
    case HookPoint::settled:
      statement_->plugins[next_].settled_owed = false;
      absorb_end(traits, "settled");
      break;
    case HookPoint::check_write:
    case HookPoint::event: break;  // are about no statement, and no chain runs them
  }
}

void ChainRun::refuse(const PluginTraits& traits, DecidedBy decided_by, std::string_view sqlstate,
                      std::string message) {
  result_.refused = true;
  result_.decided_by = decided_by;
  result_.plugin = traits.name;
  result_.sqlstate = sqlstate;
  result_.message = std::move(message);
}

void ChainRun::refuse_as_failed(const PluginTraits& traits, const char* what) {
  const CallResult& failed = call_.result;
  refuse(traits, DecidedBy::on_error, kPluginFailureState,
         std::string(what) + ": plugin \"" + traits.name + "\" failed (" +
             (failed.client_failure.empty() ? failed.failure : failed.client_failure) + ")");
  result_.fault = failed.failure;
}

void ChainRun::absorb_authenticate(const PluginTraits& traits) {
  if (call_.result.status == CallResult::Status::failed) {
    if (traits.on_error == OnError::deny) refuse_as_failed(traits, "connection refused");
    return;
  }
  AuthenticationVerdict& verdict = call_.result.authentication;
  switch (verdict.action) {
    case AuthenticationVerdict::Action::defer: break;
    case AuthenticationVerdict::Action::success: result_.identity = verdict.identity; break;
    case AuthenticationVerdict::Action::denied:
      refuse(traits, DecidedBy::login, kAuthenticationDeniedState,
             "connection refused by plugin: " + verdict.message);
      result_.detail = std::move(verdict.detail);
      result_.hint = std::move(verdict.hint);
      break;
  }
}

void ChainRun::absorb_pre_query(const PluginTraits& traits) {
  PluginRecord& record = statement_->plugins[next_];
  if (call_.result.status == CallResult::Status::failed) {
    record.post_query_owed = record.settled_owed = traits.on_error == OnError::allow;
    if (traits.on_error == OnError::deny) refuse_as_failed(traits, "Query refused");
    return;
  }
  record.post_query_owed = record.settled_owed = true;
  Verdict& verdict = call_.result.verdict;
  switch (verdict.action) {
    case Verdict::Action::proceed: limit_answer(traits, verdict, *statement_); break;
    case Verdict::Action::block:
      refuse(
          traits, DecidedBy::verdict,
          verdict.sqlstate.size() == 5 ? std::string_view(verdict.sqlstate) : kDefaultRefusalState,
          std::move(verdict.text));
      result_.detail = std::move(verdict.detail);
      result_.hint = std::move(verdict.hint);
      break;
    case Verdict::Action::rewrite:
      statement_->rewritten = std::move(verdict.text);
      ++statement_->rewrites;
      limit_answer(traits, verdict, *statement_);
      break;
    case Verdict::Action::answer: statement_->answer = std::move(verdict.answer); break;
  }
}

void ChainRun::absorb_end(const PluginTraits& traits, const char* hook) {
  if (call_.result.status == CallResult::Status::ok || traits.on_error == OnError::allow) return;
  result_.fatal = true;
  result_.sqlstate = kPluginFailureState;
  result_.message = "plugin \"" + traits.name + "\" failed in " + hook;
}

}  // namespace helios::hooks
