// SPDX-License-Identifier: Apache-2.0
#include "scripted_plugin.hpp"

#include <cstdint>
#include <utility>

namespace helios::hooks::test {
namespace {

CallResult answer(Verdict::Action action, std::string text, std::string sqlstate = "") {
  CallResult result;
  result.verdict.action = action;
  result.verdict.text = std::move(text);
  result.verdict.sqlstate = std::move(sqlstate);
  return result;
}

}  // namespace

CallResult block(std::string reason, std::string sqlstate) {
  return answer(Verdict::Action::block, std::move(reason), std::move(sqlstate));
}

CallResult rewrite(std::string sql) { return answer(Verdict::Action::rewrite, std::move(sql)); }

CallResult limits(std::optional<std::uint64_t> rows, std::optional<std::uint64_t> bytes,
                  std::string hint) {
  CallResult result;
  result.verdict.max_rows = rows;
  result.verdict.max_bytes = bytes;
  result.verdict.hint = std::move(hint);
  return result;
}

CallResult failure(std::string why) {
  CallResult result;
  result.status = CallResult::Status::failed;
  result.failure = std::move(why);
  return result;
}

RunStatus ScriptedPlugin::run(Call& call) {
  if (elsewhere == nullptr) {
    perform(call);
    return RunStatus::done;
  }
  elsewhere->post([this, &call] {
    perform(call);
    call.home->post(std::move(call.on_done));
  });
  return RunStatus::pending;
}

void ScriptedPlugin::perform(Call& call) {
  const bool is_pre = call.point == HookPoint::pre_query;
  calls_.push_back(is_pre
                       ? traits_.name + ":pre:" + std::string(call.statement->current_text())
                       : traits_.name + (call.point == HookPoint::settled ? ":settled" : ":post"));
  if (!is_silent) call.result = is_pre ? pre_query : post_query;
}

PluginTraits both(std::string name, OnError on_error) {
  return {
      .name = std::move(name), .has_pre_query = true, .has_post_query = true, .on_error = on_error};
}

PluginTraits pre_only(std::string name, OnError on_error) {
  PluginTraits traits = both(std::move(name), on_error);
  traits.has_post_query = false;
  return traits;
}

PluginTraits post_only(std::string name, OnError on_error) {
  PluginTraits traits = both(std::move(name), on_error);
  traits.has_pre_query = false;
  return traits;
}

ScriptedPlugin& ChainFixture::add(PluginTraits traits) {
  traits.order = static_cast<std::int32_t>(plugins_.size());
  plugins_.push_back(std::make_shared<ScriptedPlugin>(std::move(traits), calls));
  return *plugins_.back();
}

RunStatus ChainFixture::start(HookPoint point, bool is_session_statement) {
  if (!statement.chain) {
    statement.text = "SELECT 1";
    statement.chain = std::make_shared<Chain>(
        std::vector<std::shared_ptr<Plugin>>(plugins_.begin(), plugins_.end()));
  }
  return chain_run.start(point, statement, is_session_statement);
}

const ChainResult& ChainFixture::run(HookPoint point, bool is_session_statement) {
  if (start(point, is_session_statement) == RunStatus::pending) {
    while (chain_run.pending() && elsewhere.run_all() + home.run_all() > 0) {
    }
  }
  return chain_run.result();
}

void ChainFixture::make_pending() {
  for (const auto& plugin : plugins_) plugin->elsewhere = &elsewhere;
}

std::vector<bool> ChainFixture::owed() const {
  std::vector<bool> owed;
  for (const PluginRecord& record : statement.plugins) owed.push_back(record.post_query_owed);
  return owed;
}

}  // namespace helios::hooks::test
