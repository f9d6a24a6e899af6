// SPDX-License-Identifier: Apache-2.0
#include "session/query_gate.hpp"

#include "base/renew.hpp"
#include "base/text.hpp"
#include "pgwire/sqlstate.hpp"
#include "session/replication_commands.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace helios::session {

namespace state = pgwire::sqlstate;
using config::Policy;

namespace {

// Could ReadingRules matter to this text? ASCII without a backslash is the same under all of them.
bool depends_on_rules(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return c == '\\' || static_cast<unsigned char>(c) >= 0x80; });
}

}  // namespace

bool mentions_settings(std::string_view text) {
  return base::find_ignore_case(text, "helios") != std::string_view::npos ||
         base::find_ignore_case(text, "set_config") != std::string_view::npos ||
         base::find_ignore_case(text, "u&") != std::string_view::npos;
}

QueryGate::QueryGate(GateView view, std::function<void()> on_progress)
    : view_(view),
      settling_hooks_(*view.environment.home, *view.environment.recycler, view.environment.store,
                      [this] { wake(); }),
      on_progress_(std::move(on_progress)) {}

void QueryGate::wake() {
  waiting_elsewhere_ = false;
  on_progress_();
}

void QueryGate::begin(Subject subject) {
  assert(!busy());
  subject_ = subject;
  view_.environment.recycler->give(std::move(run_));  // of a message that nobody followed
  run_ = view_.environment.recycler->make_run();
  run_->held_bytes = sizeof(QueryRun);
  analysis_.reset();
  ahead_.reset();
  next_ = 0;
  in_this_turn_ = 0;
  is_cancelled_ = false;
  is_followed_ = false;
  parse_fault_ = nullptr;
  base::renew(decision_);
  stage_ = Stage::wait_for_answers;
}

bool QueryGate::start(std::string_view text) {
  begin(Subject::query);
  run_->own_text = text;
  run_->text = run_->own_text;
  run_->held_bytes += run_->own_text.capacity();
  return advance();
}

bool QueryGate::resume() { return busy() && advance(); }

bool QueryGate::advance() {
  while (!waiting_elsewhere_) {
    if (is_cancelled_ && is_judging()) refuse_cancelled();
    switch (stage_) {
      case Stage::wait_for_answers:
        if (awaits_answers()) return false;
        stage_ = Stage::parse;
        break;
      case Stage::parse:
        if (parse()) begin_judging();
        break;
      case Stage::wait_for_names:
      case Stage::judge:
        judge_next();
        if (stage_ == Stage::wait_for_names) return false;
        break;
      case Stage::pre_query: after_hooks(); break;
      case Stage::confirm:
        if (awaits_rules(decision_.new_text)) return false;
        confirm();
        break;
      case Stage::settle:
        if (settling_hooks_.has_left()) {
          settle();
          break;
        }
        decision_.fatal = settling_hooks_.fatal() != nullptr;
        stage_ = Stage::decided;
        break;
      case Stage::idle:
      case Stage::decided: return stage_ == Stage::decided;
    }
  }
  return false;
}

// The settings and the rules of reading that a message meets are known when nothing is in flight that
// may change them. An Execute was read when it was parsed, and a Parse meets no settings.
bool QueryGate::awaits_answers() const {
  switch (subject_) {
    case Subject::query: return view_.in_flight.touches_session() || awaits_rules(run_->text);
    case Subject::parse: return awaits_rules(run_->text);
    case Subject::portal:
    case Subject::function_call: return view_.in_flight.touches_session();
  }
  return false;
}

Decision QueryGate::take_decision() {
  assert(stage_ == Stage::decided);
  stage_ = Stage::idle;
  return std::move(decision_);
}

std::unique_ptr<QueryRun> QueryGate::take_run() {
  return std::exchange(is_followed_, false) ? std::move(run_) : nullptr;
}

// Long texts are read on the slow lane, which has analysis_ and parse_fault_ to itself meanwhile. False = not read
// yet.
bool QueryGate::parse() {
  if (parse_fault_) std::rethrow_exception(std::exchange(parse_fault_, nullptr));
  if (analysis_) return true;
  rules_ = view_.link->rules();
  if (run_->text.size() < sql::kLargeTextBytes) {
    analysis_ = view_.environment.analyzer->analyze(run_->text, view_.link->rules());
    return true;
  }
  view_.environment.slow->post([this, rules = view_.link->rules(), home = view_.environment.home] {
    try {
      analysis_ = sql::parse(run_->text, rules);
    } catch (...) {
      parse_fault_ = std::current_exception();  // for the session, which waits
    }
    home->post([this] { wake(); });
  });
  waiting_elsewhere_ = true;
  return false;
}

void QueryGate::begin_judging() {
  config_ = view_.environment.config;
  chain_ = view_.environment.chain;
  stage_ = Stage::judge;
  if (!analysis_->parsed && !admit_unreadable()) return;
  if (subject_ == Subject::parse) {
    finish_parse();
  } else {
    begin_statements();
  }
}

// Some statement changes settings or the transaction.
void QueryGate::follow_settings() {
  decision_.touches_session = true;
  run_->touches_session = true;
  if (ahead_) return;
  ahead_ = std::make_unique<Settings>(view_.settings);
  if (view_.link->transaction() == pgwire::TransactionStatus::idle) ahead_->begin();
}

void QueryGate::begin_statements() {
  if (analysis_->touches_session) follow_settings();
  if (!is_within_limits()) return;
  run_->statements.resize(analysis_->statements.size());
  run_->held_bytes +=
      analysis_->statements.size() * (sizeof(StatementRun) + sizeof(sql::Statement));
  for (std::size_t i = 0; i < run_->statements.size(); ++i) {
    run_->statements[i].statement = &analysis_->statements[i];
    run_->statements[i].analysis = analysis_;
  }
  if (run_->bound) resolve_parameters();
}

// A text that the grammar refuses, or that the server may read in another way. Nobody can say what
// it would do, so where a plugin could object it is refused, in the grammar's own words. Elsewhere
// it passes as one statement. False = refused.
bool QueryGate::admit_unreadable() {
  const bool deny = config_->protocol.unparsed == Policy::deny &&
                    !(view_.login.is_replication() && is_replication_command(run_->text));
  if (chain_->may_deny() && deny) {
    // A replication connection knows no Parse.
    if (analysis_->error_position != 0 && !view_.login.is_replication())
      decision_.unreadable = run_->own_text;
    refuse(view_.link->rules().encoding_is_ascii_safe ? state::kSyntaxError
                                                      : state::kFeatureNotSupported,
           analysis_->error, analysis_->error_position);
    return false;
  }
  sql::Statement whole;
  whole.end = run_->text.size();
  whole.may_commit_itself = true;  // who knows
  whole.reads_copy_data = true;
  if (mentions_settings(run_->text)) {
    whole.settings.push_back({.kind = sql::SettingChange::Kind::unknown, .name = {}, .value = {}});
  }
  if (subject_ == Subject::parse) return true;  // judged when it is executed
  auto analysis = std::make_shared<sql::Analysis>();
  analysis->statements.push_back(std::move(whole));
  analysis->touches_session = true;
  analysis_ = std::move(analysis);
  return true;
}

// False = refused.
bool QueryGate::is_within_limits() {
  const std::size_t count = analysis_->statements.size();
  const std::uint32_t limit = config_->limits.max_query_statements;
  if (!chain_->has_hooks() || count <= limit) return true;
  refuse(state::kProgramLimitExceeded,
         "the query has " + std::to_string(count) + " statements, more than the " +
             std::to_string(limit) + " that plugins are shown ([limits] max_query_statements)");
  return false;
}

// Other sessions of the worker get their turn.
void QueryGate::yield() {
  in_this_turn_ = 0;
  view_.environment.home->post([this] { wake(); });
  waiting_elsewhere_ = true;
}

// One statement: what the proxy itself objects to, then its hooks.
void QueryGate::judge_next() {
  if (next_ == run_->statements.size()) {
    compose_text();
    stage_ = Stage::confirm;
    return;
  }
  if (run_->held_bytes / 1024 > config_->limits.max_session_memory_kb) {
    ++view_.environment.counters->out_of_memory;
    refuse(state::kOutOfMemory,
           "out of memory: the query and what stands in for it take too much "
           "([limits] max_session_memory_kb)");
    return;
  }
  if (in_this_turn_++ == kStatementsPerTurn) return yield();
  StatementRun& run = run_->statements[next_];
  if (awaits_block(*run.statement)) {
    stage_ = Stage::wait_for_names;
    return;
  }
  const bool has_waited = std::exchange(stage_, Stage::judge) == Stage::wait_for_names;
  if (has_waited && next_ == 0 && ahead_) {
    ahead_.reset();
    follow_settings();
  }
  if (auto refusal = objection_to_names(*run.statement)) {
    refuse(refusal->sqlstate, std::move(refusal->message));
    return;
  }
  if (!find_prepared(run) || !may_fetch(*run.statement)) return;
  if (auto refusal = objection(*run.statement)) {
    refuse(refusal->sqlstate, std::move(refusal->message));
    return;
  }
  const bool is_hooked = chain_->has_hooks() &&
                         (!run.statement->is_session_statement || chain_->wants_all_statements());
  if (is_hooked) {
    make_execution(run);
    run.is_session_statement = run.statement->is_session_statement;
    waiting_elsewhere_ = start_hooks(run);
  }
  stage_ = Stage::pre_query;
}

// True = pending.
bool QueryGate::start_hooks(StatementRun& run) {
  if (!pre_query_) {
    pre_query_ = std::make_unique<hooks::ChainRun>(*view_.environment.home, [this] { wake(); });
  }
  return pre_query_->start(hooks::HookPoint::pre_query, *run.execution, run.is_session_statement) ==
         hooks::RunStatus::pending;
}

// Nobody may be told a tenant.
bool QueryGate::hides_tenant() const {
  return settings().tenant_unknown() && !view_.identity.has_pinned_tenant() &&
         config_->tenant.unknown == Policy::deny;
}

std::optional<Refusal> QueryGate::objection(const sql::Statement& statement) const {
  if (auto refusal = view_.identity.objection_to(statement)) return refusal;
  if (!chain_->has_hooks() || !hides_tenant() || statement.is_session_statement)
    return std::nullopt;
  // Where no tenant was ever set, only a plugin that asks for one makes a difference.
  if (settings().uses_tenant() || chain_->looks_at_tenant()) {
    return Refusal{
        std::string(state::kInsufficientPrivilege),
        "the tenant of this session is unknown: helios.tenant_id was changed in a way that "
        "the proxy cannot follow; SET it to a constant"};
  }
  return std::nullopt;
}

void QueryGate::make_execution(StatementRun& run) {
  Environment& environment = view_.environment;
  auto execution = environment.recycler->make_execution();
  execution->id = environment.next_statement_id;
  environment.next_statement_id += environment.statement_id_step;
  ++environment.counters->statements;
  const sql::Statement& statement = *run.statement;
  // Offsets belong to the text in which they were found: EXECUTE may keep changes of its own.
  const sql::Statement& shown = run.prepared ? run.prepared->analysis->statements[0] : statement;
  const std::string_view text = run.prepared ? std::string_view(run.prepared->text) : run_->text;
  execution->text = text.substr(shown.begin, shown.end - shown.begin);
  const sql::ReadingRules& rules = run.prepared ? run.prepared->rules : rules_;
  if (rules.encoding_is_ascii_safe) execution->fingerprint_of = &sql::fingerprint;
  execution->standard_conforming_strings = rules.standard_conforming_strings;
  execution->is_read_only = shown.is_read_only;
  if (run_->bound) execution->parameters = run_->bound->parameters;
  if (subject_ == Subject::function_call) {
    execution->origin = hooks::Origin::function_call;
  } else if (run_->bound) {
    execution->origin = hooks::Origin::execute;
  }
  if (run.prepared) show_execute(analysis_->statements[next_], *execution);
  execution->context = view_.identity.context(settings(), ahead_ != nullptr);
  execution->is_tenant_unknown = hides_tenant();
  execution->chain = chain_;
  run_->held_bytes += sizeof(hooks::StatementExecution);
  run.execution = std::move(execution);
}

void QueryGate::after_hooks() {
  StatementRun& run = run_->statements[next_];
  stage_ = Stage::judge;
  if (run.execution) {
    const hooks::ChainResult& result = pre_query_->result();
    if (is_cancelled_) return refuse_cancelled();
    if (result.refused) return refuse(result.sqlstate, result.message);
  }
  if (run.execution && run.execution->answer && !adopt_answer(run)) return;
  const bool is_rewritten = run.execution && !run.execution->rewritten.empty();
  if (is_rewritten ? adopt_rewrite(run) : expand_kv(run)) {
    if (subject_ == Subject::query) run.names = note_names(*run_, run, rules_);
    ++next_;
    run_ahead(*run.statement);
  }
}

// Or refuses: what a statement adds to the settings may be too much.
void QueryGate::run_ahead(const sql::Statement& statement) {
  if (!ahead_) return;
  const std::size_t before = ahead_->held_bytes();
  apply_statement(statement, view_.link->transaction() == pgwire::TransactionStatus::failed,
                  *ahead_);
  const std::size_t after = ahead_->held_bytes();
  if (after <= kMaxSettingsBytes || after <= before) return;
  ++view_.environment.counters->out_of_memory;
  refuse(
      state::kOutOfMemory,
      "out of memory: the helios.* settings and savepoints of the session would take more than " +
          std::to_string(kMaxSettingsBytes) + " bytes");
}

// What is read otherwise under other rules cannot be judged, or sent, while an earlier message may
// still change them out of sight.
bool QueryGate::awaits_rules(std::string_view text) const {
  const bool is_uncertain = !view_.link->owed().empty() || view_.link->owed().hides_changes();
  return is_uncertain && depends_on_rules(text);
}

bool QueryGate::waits_for_rules() const {
  if (waiting_elsewhere_) return false;
  if (stage_ == Stage::confirm) return awaits_rules(decision_.new_text);
  const bool reads_text = subject_ == Subject::query || subject_ == Subject::parse;
  return stage_ == Stage::wait_for_answers && reads_text && awaits_rules(run_->text);
}

// A text of our own making is sent only under the rules that it was made for.
void QueryGate::confirm() {
  if (!decision_.new_text.empty() && view_.link->rules() != rules_) {
    decision_.new_text.clear();
    refuse(state::kFeatureNotSupported,
           "Query refused: client_encoding or standard_conforming_strings has changed meanwhile");
    return;
  }
  stage_ = Stage::decided;
  decision_.may_copy_in = std::ranges::any_of(run_->statements, [](const StatementRun& run) {
    const bool is_unknown =
        run.statement->name_op == sql::NameOp::execute && !run.prepared && !run.refusal;
    return run.statement->reads_copy_data || is_unknown;
  });
  is_followed_ = run_->has_executions() || decision_.touches_session || run_->defines_names() ||
                 run_->is_cut();
}

}  // namespace helios::session
