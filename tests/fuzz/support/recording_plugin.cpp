// SPDX-License-Identifier: Apache-2.0
#include "fuzz/support/recording_plugin.hpp"

#include "fuzz/support/fuzz.hpp"

namespace helios::fuzz {
namespace {

hooks::PluginTraits traits(hooks::OnError on_error) {
  hooks::PluginTraits traits;
  traits.name = "recording";
  traits.has_pre_query = true;
  traits.has_post_query = true;
  traits.has_settled = true;
  traits.on_error = on_error;
  return traits;
}

hooks::CallResult answer() {
  auto rows = std::make_shared<hooks::Answer>();
  rows->columns = {{.name = "n", .type_oid = 23}};
  rows->rows = {{"1"}, {std::nullopt}};
  hooks::CallResult result;
  result.verdict.action = hooks::Verdict::Action::answer;
  result.verdict.answer = std::move(rows);
  return result;
}

hooks::CallResult decide(std::string_view text) {
  if (text.contains(kBlockWord)) return session::test::block("because");
  if (text.contains(kFailWord)) return session::test::failure("as told");
  if (text.contains(kRewriteWord)) return session::test::rewrite(std::string(kNewText));
  if (text.contains(kAnswerWord)) return answer();
  return {};
}

}  // namespace

RecordingPlugin::RecordingPlugin(hooks::OnError on_error)
    : plugin_(std::make_shared<session::test::NativePlugin>(traits(on_error))) {
  plugin_->pre_query = [this](hooks::Call& call) { return pre_query(call); };
  plugin_->post_query = [this](hooks::Call& call) { return post_query(call); };
  plugin_->settled = [this](hooks::Call& call) { return settled(call); };
}

bool RecordingPlugin::take_permission(const std::string& text) {
  const std::lock_guard lock(mutex_);
  const auto found = permitted_.find(text);
  if (found == permitted_.end()) return false;
  permitted_.erase(found);
  return true;
}

void RecordingPlugin::require_settled() const {
  const std::lock_guard lock(mutex_);
  require(owed_.empty(), "every pre_query has had its post_query:\n" + calls_);
  require(unsettled_.empty(), "every pre_query has had its settled:\n" + calls_);
}

void RecordingPlugin::forget() {
  const std::lock_guard lock(mutex_);
  permitted_.clear();
  calls_.clear();
}

hooks::CallResult RecordingPlugin::pre_query(hooks::Call& call) {
  const hooks::StatementExecution& statement = *call.statement;
  hooks::CallResult result = decide(statement.text);
  const bool is_allowed = plugin_->traits().on_error == hooks::OnError::allow;
  const bool is_failed = result.status == hooks::CallResult::Status::failed;
  const std::lock_guard lock(mutex_);
  calls_ += "pre " + std::to_string(statement.id) + " " + std::string(statement.text) + "\n";
  if (!is_failed || is_allowed) {
    require(owed_.insert(statement.id).second, "one pre_query for each statement");
    unsettled_.insert(statement.id);
  }
  if (is_failed && is_allowed) permitted_.emplace(statement.text);
  if (is_failed) return result;
  switch (result.verdict.action) {
    case hooks::Verdict::Action::proceed: permitted_.emplace(statement.text); break;
    case hooks::Verdict::Action::rewrite: permitted_.emplace(kNewText); break;
    case hooks::Verdict::Action::block:
    case hooks::Verdict::Action::answer: break;
  }
  return result;
}

hooks::CallResult RecordingPlugin::post_query(hooks::Call& call) {
  const hooks::StatementExecution& statement = *call.statement;
  const std::lock_guard lock(mutex_);
  calls_ += "post " + std::to_string(statement.id) + " " +
            std::to_string(static_cast<int>(statement.outcome)) + " " + statement.sqlstate + "\n";
  require(owed_.erase(statement.id) == 1, "post_query once, and only after pre_query:\n" + calls_);
  return statement.text.contains(kPostFailWord) ? session::test::failure("as told")
                                                : hooks::CallResult{};
}

// Not among the calls: what is known when a connection ends depends on when it does.
hooks::CallResult RecordingPlugin::settled(hooks::Call& call) {
  const hooks::StatementExecution& statement = *call.statement;
  const std::lock_guard lock(mutex_);
  require(!owed_.contains(statement.id), "settled only after post_query:\n" + calls_);
  require(unsettled_.erase(statement.id) == 1, "settled once:\n" + calls_);
  require(statement.settlement.has_value(), "settled knows how:\n" + calls_);
  return {};
}

}  // namespace helios::fuzz
