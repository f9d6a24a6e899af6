// SPDX-License-Identifier: Apache-2.0
#include "plugins/write_judge.hpp"

#include "base/text.hpp"

#include <utility>

namespace helios::plugins {

namespace {

constexpr std::size_t kMaxLoggedKeyBytes = 200;
constexpr std::size_t kMaxLoggedReasonBytes = 400;

WriteOpinion opinion_of(const std::string& plugin, hooks::CallResult& result) {
  if (result.status == hooks::CallResult::Status::failed)
    return {WriteOpinion::Kind::failed, plugin,
            result.client_failure.empty() ? result.failure : result.client_failure};
  if (result.verdict.action == hooks::Verdict::Action::block)
    return {WriteOpinion::Kind::refused, plugin, std::move(result.verdict.text)};
  return {WriteOpinion::Kind::allowed, plugin, {}};
}

PluginEvent event_of(WriteOpinion::Kind kind) {
  switch (kind) {
    case WriteOpinion::Kind::allowed: return PluginEvent::write_allowed;
    case WriteOpinion::Kind::refused: return PluginEvent::write_refused;
    case WriteOpinion::Kind::failed: return PluginEvent::write_failed;
  }
  std::unreachable();
}

std::string quoted(std::string_view key) {
  return "\"" + base::escape_for_log(key, kMaxLoggedKeyBytes) + "\"";
}

// The plugin whose namespace it is, where it has a check_write. There is at most one: no two plugins share a namespace.
std::shared_ptr<WasmPlugin> judge_of(const PluginHost& host, std::string_view space) {
  for (auto& plugin : host.running())
    if (plugin->judges_writes_to(space)) return plugin;
  return nullptr;
}

}  // namespace

// What the call refers to stays here until it is over.
struct WriteJudge::Pending {
  std::shared_ptr<WasmPlugin> plugin;
  hooks::KeyWrite write;
  std::shared_ptr<base::Executor> home;
  Done done;
  hooks::Call call;
};

WriteJudge::WriteJudge(const PluginHost& host, base::Log& log) : host_(host), log_(log) {}

WriteJudge::~WriteJudge() = default;

void WriteJudge::stop() { pending_.clear(); }

void WriteJudge::judge(std::string_view space, hooks::KeyWrite write,
                       std::shared_ptr<base::Executor> home, Done done) {
  auto plugin = judge_of(host_, space);
  if (plugin == nullptr) return done({});
  auto pending = std::make_unique<Pending>();
  pending->plugin = std::move(plugin);
  pending->write = std::move(write);
  pending->home = std::move(home);
  pending->done = std::move(done);
  const auto at = pending_.insert(pending_.end(), std::move(pending));
  hooks::Call& call = (*at)->call;
  call.point = hooks::HookPoint::check_write;
  call.write = &(*at)->write;
  call.home = (*at)->home.get();
  call.on_done = [this, at] { finish(at); };
  if ((*at)->plugin->run(call) == hooks::RunStatus::done) finish(at);
}

void WriteJudge::finish(std::list<std::unique_ptr<Pending>>::iterator at) {
  const std::unique_ptr<Pending> pending = std::move(*at);
  pending_.erase(at);
  WriteOpinion opinion = opinion_of(pending->plugin->traits().name, pending->call.result);
  pending->plugin->version().counters().add(event_of(opinion.kind));
  if (opinion.kind != WriteOpinion::Kind::allowed) log_objection(opinion, pending->write.key);
  pending->done(std::move(opinion));
}

void WriteJudge::log_objection(const WriteOpinion& opinion, std::string_view key) const {
  const bool is_refused = opinion.kind == WriteOpinion::Kind::refused;
  log_.write(base::LogLevel::warning,
             "plugin " + opinion.plugin + ": " +
                 (is_refused ? "refuses the write of " : "cannot judge the write of ") +
                 quoted(key) + ", which does not happen: " +
                 base::escape_for_log(opinion.reason, kMaxLoggedReasonBytes));
}

void WriteJudge::note_forced(std::string_view space, std::string_view key) {
  const auto plugin = judge_of(host_, space);
  if (plugin == nullptr) return;
  plugin->version().counters().add(PluginEvent::write_forced);
  log_.write(base::LogLevel::warning, "plugin " + plugin->traits().name +
                                          ": was not asked about the write of " + quoted(key) +
                                          ", which was forced");
}

}  // namespace helios::plugins
