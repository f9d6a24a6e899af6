// SPDX-License-Identifier: Apache-2.0
#include "session/query_gate.hpp"

#include "base/text.hpp"
#include "pgwire/sqlstate.hpp"
#include "session/answer_rows.hpp"
#include "session/kv_rows.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace helios::session {

namespace state = pgwire::sqlstate;
using config::Policy;

bool mentions_settings(std::string_view text) {
  return base::find_ignore_case(text, "helios") != std::string_view::npos ||
         base::find_ignore_case(text, "set_config") != std::string_view::npos ||
         base::find_ignore_case(text, "u&") != std::string_view::npos;
}

QueryGate::QueryGate(GateView view, std::function<void()> on_progress)
    : view_(view),
      pre_query_(*view.environment.home, [this] { wake(); }),
      settling_hooks_(*view.environment.home, [this] { wake(); }),
      on_progress_(std::move(on_progress)) {}

void QueryGate::wake() {
  waiting_elsewhere_ = false;
  on_progress_();
}

bool QueryGate::start(std::string_view text) {
  assert(!busy());
  run_ = std::make_unique<QueryRun>();
  run_->text = text;
  analysis_.reset();
  ahead_.reset();
  next_ = 0;
  cancelled_ = false;
  decision_ = {};
  stage_ = Stage::wait_for_answers;
  return advance();
}

bool QueryGate::resume() { return busy() && advance(); }

bool QueryGate::advance() {
  while (!waiting_elsewhere_) {
    switch (stage_) {
      case Stage::wait_for_answers:
        if (view_.replies.touches_session()) return false;
        stage_ = Stage::parse;
        break;
      case Stage::parse:
        if (parse()) begin_judging();
        break;
      case Stage::judge: judge_next(); break;
      case Stage::pre_query: after_hooks(); break;
      case Stage::settle:
        decision_.fatal = settling_hooks_.fatal().has_value();
        stage_ = Stage::decided;
        break;
      case Stage::idle:
      case Stage::decided: return stage_ == Stage::decided;
    }
  }
  return false;
}

void QueryGate::cancel() {
  cancelled_ = true;
  if (stage_ == Stage::wait_for_answers) {
    refuse(state::kQueryCanceled, "canceling statement due to user request");
  }
}

Decision QueryGate::take_decision() {
  assert(stage_ == Stage::decided);
  stage_ = Stage::idle;
  return std::move(decision_);
}

// Long texts are read on the slow lane; the worker goes on meanwhile. False = not read yet.
bool QueryGate::parse() {
  if (analysis_) return true;
  if (run_->text.size() < sql::kLargeTextBytes) {
    analysis_ = view_.environment.analyzer->analyze(run_->text, view_.rules);
    return true;
  }
  waiting_elsewhere_ = true;
  view_.environment.slow->post([this, rules = view_.rules, home = view_.environment.home] {
    auto analysis = sql::parse(run_->text, rules);
    home->post([this, analysis = std::move(analysis)]() mutable {
      analysis_ = std::move(analysis);
      wake();
    });
  });
  return false;
}

void QueryGate::begin_judging() {
  chain_ = view_.environment.chain;
  stage_ = Stage::judge;
  if (!analysis_->parsed && !admit_unreadable()) return;
  decision_.touches_session = analysis_->touches_session;
  if (analysis_->touches_session) {
    ahead_ = view_.settings;
    if (view_.transaction == pgwire::TransactionStatus::idle) ahead_->begin();
  }
  run_->touches_session = analysis_->touches_session;
  run_->statements.resize(analysis_->statements.size());
  for (std::size_t i = 0; i < run_->statements.size(); ++i) {
    run_->statements[i].statement = &analysis_->statements[i];
    run_->statements[i].analysis = analysis_;
  }
}

// A text that the grammar refuses, or that the server may read in another way. Nobody can say what
// it would do, so where a plugin could object it is refused, in the grammar's own words. Elsewhere
// it passes as one statement. False = refused.
bool QueryGate::admit_unreadable() {
  const bool deny = view_.environment.config->protocol.unparsed == Policy::deny;
  if (chain_->may_deny() && deny) {
    refuse(view_.rules.encoding_is_ascii_safe ? state::kSyntaxError : state::kFeatureNotSupported,
           analysis_->error, analysis_->error_position);
    return false;
  }
  sql::Statement whole;
  whole.end = run_->text.size();
  if (mentions_settings(run_->text)) {
    whole.settings.push_back({.kind = sql::SettingChange::Kind::unknown, .name = {}, .value = {}});
  }
  auto analysis = std::make_shared<sql::Analysis>();
  analysis->statements.push_back(std::move(whole));
  analysis->touches_session = true;
  analysis_ = std::move(analysis);
  return true;
}

// One statement: what the proxy itself objects to, then its hooks.
void QueryGate::judge_next() {
  if (next_ == run_->statements.size()) {
    decide_forward();
    return;
  }
  StatementRun& run = run_->statements[next_];
  if (auto refusal = objection(*run.statement)) {
    refuse(refusal->sqlstate, std::move(refusal->message));
    return;
  }
  stage_ = Stage::pre_query;
  const bool is_hooked = chain_->has_hooks() &&
                         (!run.statement->is_session_statement || chain_->wants_all_statements());
  if (!is_hooked) return;
  make_execution(run);
  waiting_elsewhere_ =
      pre_query_.start(hooks::HookPoint::pre_query, *run.execution,
                       run.statement->is_session_statement) == hooks::RunStatus::pending;
}

std::optional<Refusal> QueryGate::objection(const sql::Statement& statement) const {
  const config::Config& config = *view_.environment.config;
  if (auto refusal = view_.identity.objection_to(statement)) return refusal;
  if (!chain_->has_hooks()) return std::nullopt;
  if (statement.is_execute && config.protocol.extended == Policy::deny) {
    return Refusal{std::string(state::kFeatureNotSupported),
                   "EXECUTE is not supported while plugins are loaded: they would not see the "
                   "statement ([protocol] extended = \"deny\")"};
  }
  const Settings& settings = ahead_ ? *ahead_ : view_.settings;
  const bool is_unknown = settings.tenant_unknown() && !view_.identity.has_pinned_tenant();
  if (is_unknown && !statement.is_session_statement && config.tenant.unknown == Policy::deny) {
    return Refusal{
        std::string(state::kInsufficientPrivilege),
        "the tenant of this session is unknown: helios.tenant_id was changed in a way that "
        "the proxy cannot follow; SET it to a constant"};
  }
  return std::nullopt;
}

void QueryGate::make_execution(StatementRun& run) {
  Environment& environment = view_.environment;
  auto execution = std::make_unique<hooks::StatementExecution>();
  execution->id = environment.next_statement_id;
  environment.next_statement_id += environment.statement_id_step;
  ++environment.counters->statements;
  const sql::Statement& statement = *run.statement;
  execution->text =
      std::string_view(run_->text).substr(statement.begin, statement.end - statement.begin);
  execution->is_read_only = statement.is_read_only;
  execution->context =
      view_.identity.context(ahead_ ? *ahead_ : view_.settings, ahead_.has_value());
  execution->chain = chain_;
  run.execution = std::move(execution);
}

void QueryGate::after_hooks() {
  StatementRun& run = run_->statements[next_];
  stage_ = Stage::judge;
  if (cancelled_) {
    refuse(state::kQueryCanceled, "canceling statement due to user request");
    return;
  }
  if (run.execution && pre_query_.result().refused) {
    refuse(pre_query_.result().sqlstate, pre_query_.result().message);
    return;
  }
  if (run.execution && run.execution->answer && !adopt_answer(run)) return;
  const bool is_rewritten = run.execution && !run.execution->rewritten.empty();
  if (is_rewritten ? adopt_rewrite(run) : expand_kv(run)) {
    run_ahead(*run.statement);
    ++next_;
  }
}

// A plugin's rows are the answer. Alone and idle they go to the client directly; otherwise the server
// is made to produce them, so that order and transaction state stay its own. False = settled here.
bool QueryGate::adopt_answer(StatementRun& run) {
  const hooks::Answer& answer = *run.execution->answer;
  const std::uint64_t max_bytes = view_.environment.config->protocol.max_query_bytes;
  if (const std::string_view problem = problem_of(answer, max_bytes); !problem.empty()) {
    refuse(state::kSystemError,
           "Query refused: the answer of a plugin is unusable: " + std::string(problem));
    return false;
  }
  const bool is_idle = view_.replies.empty() && view_.held_ready.empty() &&
                       view_.transaction == pgwire::TransactionStatus::idle;
  if (run_->statements.size() > 1 || !is_idle) {
    run.execution->rewritten = answer_statement(answer);
    return true;
  }
  decision_.answer = answer_messages(answer);
  run_->answer(answer.rows.size());
  settle();
  return false;
}

// A plugin's text must be exactly one statement: the answers are counted by it. helios.kv() is never
// expanded in it.
bool QueryGate::adopt_rewrite(StatementRun& run) {
  const std::string& text = run.execution->rewritten;
  auto analysis = view_.environment.analyzer->analyze(text, view_.rules);
  if (!analysis->parsed || analysis->statements.size() != 1) {
    refuse(state::kSystemError,
           "Query refused: a plugin rewrote it to a text that is not one statement");
    return false;
  }
  run.statement = &analysis->statements[0];
  run.analysis = std::move(analysis);
  run.replacement = text;
  decision_.touches_session |= run.analysis->touches_session;
  if (run.analysis->touches_session && !ahead_) ahead_ = view_.settings;
  if (auto refusal = objection(*run.statement)) {
    refuse(refusal->sqlstate, std::move(refusal->message));
    return false;
  }
  return true;
}

// False = refused, here and in adopt_rewrite().
bool QueryGate::expand_kv(StatementRun& run) {
  const sql::Statement& statement = *run.statement;
  if (statement.kv_calls.empty()) return true;
  const config::KvSql& rules = view_.environment.config->kv_sql;
  if (std::ranges::find(rules.readers, view_.identity.user()) == rules.readers.end()) {
    refuse(state::kInsufficientPrivilege, "permission denied for function helios.kv: user \"" +
                                              view_.identity.user() +
                                              "\" is not listed in [kv_sql] readers");
    return false;
  }
  for (const sql::KvCall& call : statement.kv_calls) {
    if (call.problem.empty()) continue;
    refuse(state::kFeatureNotSupported, call.problem);
    return false;
  }
  const std::string_view text = run_->text;
  auto rendered =
      render_kv_calls(statement.kv_calls, text, *view_.environment.store, rules.max_bytes);
  if (!rendered) {
    refuse(state::kProgramLimitExceeded, rendered.error().message);
    return false;
  }
  std::size_t from = statement.begin;
  for (std::size_t i = 0; i < rendered->size(); ++i) {
    const sql::KvCall& call = statement.kv_calls[i];
    run.replacement.append(text.substr(from, call.begin - from)).append((*rendered)[i]);
    from = call.end;
  }
  run.replacement.append(text.substr(from, statement.end - from));
  return true;
}

void QueryGate::run_ahead(const sql::Statement& statement) {
  if (!ahead_) return;
  apply_statement(statement, view_.transaction == pgwire::TransactionStatus::failed, *ahead_);
}

void QueryGate::refuse(std::string_view sqlstate, std::string message, std::size_t position) {
  run_->refuse(sqlstate, message);
  decision_.refusal = Refusal{std::string(sqlstate), std::move(message), position};
  settle();
}

// The message does not reach the server: its post_query hooks run now.
void QueryGate::settle() {
  stage_ = Stage::settle;
  std::vector<std::unique_ptr<QueryRun>> runs;
  runs.push_back(std::move(run_));
  waiting_elsewhere_ = settling_hooks_.start(std::move(runs)) == hooks::RunStatus::pending;
}

void QueryGate::decide_forward() {
  stage_ = Stage::decided;
  const bool is_changed = std::ranges::any_of(
      run_->statements, [](const auto& run) { return !run.replacement.empty(); });
  if (is_changed) decision_.new_text = compose_text();
  const bool is_followed = run_->has_executions() || decision_.touches_session;
  if (is_followed) decision_.run = std::move(run_);
}

std::string QueryGate::compose_text() const {
  const std::string_view text = run_->text;
  std::string out;
  std::size_t from = 0;
  for (std::size_t i = 0; i < run_->statements.size(); ++i) {
    const StatementRun& run = run_->statements[i];
    if (run.replacement.empty()) continue;
    const sql::Statement& original = analysis_->statements[i];
    out.append(text.substr(from, original.begin - from)).append(run.replacement);
    from = original.end;
    // A text of a plugin may end in a comment, which must not swallow what follows.
    if (run.analysis != analysis_ && from < text.size()) out.push_back('\n');
  }
  return out.append(text.substr(from));
}

}  // namespace helios::session
