// SPDX-License-Identifier: Apache-2.0
#include "session/statement_judge.hpp"

#include "base/renew.hpp"
#include "base/text.hpp"
#include "pgwire/sqlstate.hpp"
#include "session/answer_rows.hpp"
#include "session/name_definitions.hpp"
#include "session/objections.hpp"
#include "session/replication_commands.hpp"
#include "session/text_maker.hpp"

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

StatementJudge::StatementJudge(SessionContext& context, std::function<void()> on_progress)
    : context_(context),
      settling_hooks_(*context.environment.home, *context.environment.recycler,
                      [this] { elsewhere_.finish(); }),
      elsewhere_(std::move(on_progress)) {}

void StatementJudge::begin(Subject subject) {
  assert(!busy());
  subject_ = subject;
  context_.environment.recycler->give(std::move(run_));  // of a message that nobody followed
  run_ = context_.environment.recycler->make_run();
  run_->held_bytes = sizeof(QueryRun);
  analysis_.reset();
  ahead_.reset();
  next_ = 0;
  in_this_turn_ = 0;
  is_cancelled_ = false;
  is_followed_ = false;
  hooks_began_ns_ = 0;
  parse_fault_ = nullptr;
  base::renew(decision_);
  stage_ = Stage::wait_for_answers;
}

bool StatementJudge::start(std::string_view text) {
  begin(Subject::query);
  run_->own_text = text;
  run_->text = run_->own_text;
  run_->held_bytes += run_->own_text.capacity();
  return advance();
}

bool StatementJudge::resume() { return busy() && advance(); }

bool StatementJudge::advance() {
  while (!pending()) {
    if (is_cancelled_ && is_judging()) refuse_cancelled();
    switch (stage_) {
      case Stage::wait_for_answers:
        if (awaits_answers()) return false;
        stage_ = Stage::parse;
        break;
      case Stage::parse:
        if (parse()) begin_judging();
        break;
      case Stage::wait_for_certainty:
      case Stage::judge:
        judge_next();
        if (stage_ == Stage::wait_for_certainty) return false;
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
bool StatementJudge::awaits_answers() const {
  switch (subject_) {
    case Subject::query: return context_.in_flight.touches_session() || awaits_rules(run_->text);
    case Subject::parse: return awaits_rules(run_->text);
    case Subject::portal:
    case Subject::function_call: return context_.in_flight.touches_session();
  }
  return false;
}

Decision& StatementJudge::take_decision() {
  assert(stage_ == Stage::decided);
  stage_ = Stage::idle;
  return decision_;
}

std::unique_ptr<QueryRun> StatementJudge::take_run() {
  return std::exchange(is_followed_, false) ? std::move(run_) : nullptr;
}

// Long texts are read on the slow lane, which has analysis_ and parse_fault_ to itself meanwhile. False = not read
// yet.
bool StatementJudge::parse() {
  if (parse_fault_) std::rethrow_exception(std::exchange(parse_fault_, nullptr));
  if (analysis_) return true;
  rules_ = context_.link->rules();
  if (run_->text.size() < sql::kLargeTextBytes) {
    analysis_ = context_.environment.analyzer->analyze(run_->text, context_.link->rules());
    return true;
  }
  context_.environment.slow->post(
      [this, rules = context_.link->rules(), home = context_.environment.home] {
        try {
          analysis_ = sql::parse(run_->text, rules);
        } catch (...) {
          parse_fault_ = std::current_exception();  // for the session, which waits
        }
        home->post([this] { elsewhere_.finish(); });
      });
  elsewhere_.await();
  return false;
}

void StatementJudge::begin_judging() {
  config_ = context_.environment.config;
  chain_ = context_.environment.chain;
  stage_ = Stage::judge;
  if (!analysis_->parsed && !admit_unreadable()) return;
  if (subject_ == Subject::parse) {
    finish_parse();
  } else {
    begin_statements();
  }
}

// Some statement changes settings or the transaction.
void StatementJudge::follow_settings() {
  decision_.touches_session = true;
  run_->touches_session = true;
  if (ahead_) return;
  ahead_ = std::make_unique<Settings>(context_.settings);
  if (context_.link->transaction() == pgwire::TransactionStatus::idle) ahead_->begin();
}

void StatementJudge::begin_statements() {
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
bool StatementJudge::admit_unreadable() {
  const bool deny = config_->protocol.unparsed == Policy::deny &&
                    !(context_.is_replication && is_replication_command(run_->text));
  if (chain_->may_deny() && deny) {
    // A replication connection knows no Parse.
    if (analysis_->error_position != 0 && !context_.is_replication)
      decision_.unreadable = run_->own_text;
    refuse(context_.link->rules().encoding_is_ascii_safe ? state::kSyntaxError
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
bool StatementJudge::is_within_limits() {
  const std::size_t count = analysis_->statements.size();
  const std::uint32_t limit = config_->limits.max_query_statements;
  if (!chain_->has_hooks() || count <= limit) return true;
  refuse(state::kProgramLimitExceeded,
         "the query has " + std::to_string(count) + " statements, more than the " +
             std::to_string(limit) + " that plugins are shown ([limits] max_query_statements)");
  return false;
}

// Other sessions of the worker get their turn.
void StatementJudge::yield() {
  in_this_turn_ = 0;
  context_.environment.home->post([this] { elsewhere_.finish(); });
  elsewhere_.await();
}

// One statement: what the proxy itself objects to, then its hooks.
void StatementJudge::judge_next() {
  if (next_ == run_->statements.size()) {
    if (decision_.is_bounded && subject_ == Subject::query && !plan_bounded()) return;
    decision_.new_text = compose_text(*run_, analysis_);
    stage_ = Stage::confirm;
    return;
  }
  if (run_->held_bytes / 1024 > config_->limits.max_session_memory_kb) {
    ++context_.environment.counters->out_of_memory;
    refuse(state::kOutOfMemory,
           "out of memory: the query and what stands in for it take too much "
           "([limits] max_session_memory_kb)");
    return;
  }
  if (in_this_turn_++ == kStatementsPerTurn) return yield();
  StatementRun& run = run_->statements[next_];
  if (awaits_block(*run.statement)) {
    stage_ = Stage::wait_for_certainty;
    return;
  }
  const bool has_waited = std::exchange(stage_, Stage::judge) == Stage::wait_for_certainty;
  if (has_waited && next_ == 0 && ahead_) {
    ahead_.reset();
    follow_settings();
  }
  if (!admit(objection_to_names(grounds(), *run.statement))) return;
  if (!find_prepared(run) || !may_fetch(run) || !may_call_functions(run)) return;
  if (!admit(objection_to(grounds(), *run.statement))) return;
  const bool is_hooked = chain_->has_hooks() &&
                         (!run.statement->is_session_statement || chain_->wants_all_statements());
  if (is_hooked) {
    note_hooks_begin();
    make_execution(run);
    run.is_session_statement = run.statement->is_session_statement;
    if (start_hooks(run)) elsewhere_.await();
  }
  stage_ = Stage::pre_query;
}

// One reading for all statements of the message.
void StatementJudge::note_hooks_begin() {
  if (hooks_began_ns_ == 0 && context_.environment.timings != nullptr)
    hooks_began_ns_ = context_.environment.clock->monotonic_ns();
}

void StatementJudge::note_forwarded(std::int64_t now_ns) {
  if (hooks_began_ns_ == 0) return;
  context_.environment.timings->pre_query.observe_ns(now_ns - std::exchange(hooks_began_ns_, 0));
}

// True = pending.
bool StatementJudge::start_hooks(StatementRun& run) {
  if (!pre_query_) {
    pre_query_ = std::make_unique<hooks::ChainRun>(*context_.environment.home,
                                                   [this] { elsewhere_.finish(); });
  }
  return pre_query_->start(hooks::HookPoint::pre_query, *run.execution, run.is_session_statement) ==
         hooks::RunStatus::pending;
}

void StatementJudge::after_hooks() {
  StatementRun& run = run_->statements[next_];
  stage_ = Stage::judge;
  if (run.execution) {
    const hooks::ChainResult& result = pre_query_->result();
    if (is_cancelled_) return refuse_cancelled();
    if (result.refused) return refuse({result.sqlstate, result.message}, &result);
  }
  if (run.execution && run.execution->answer && !adopt_answer(run)) return;
  const bool is_rewritten = run.execution && !run.execution->rewritten.empty();
  if (!(is_rewritten ? adopt_rewrite(run) : put_kv(run)) || !bound_answer(run)) return;
  if (subject_ == Subject::query) run.names = note_names(context_, *run_, run, rules_);
  ++next_;
  run_ahead(*run.statement);
}

// A plugin's rows are the answer. Alone and idle they go to the client directly; otherwise the server
// is made to produce them, so that order, transaction state and the unnamed statement, which a Query ends,
// stay its own. False = settled here.
bool StatementJudge::adopt_answer(StatementRun& run) {
  const hooks::Answer& answer = *run.execution->answer;
  if (!admit(objection_to_replacing(*run_, subject_ == Subject::function_call))) return false;
  if (!admit(objection_to_answer(answer, config_->protocol.max_query_bytes))) return false;
  const bool is_alone = subject_ == Subject::query && run_->statements.size() == 1;
  if (!is_alone || !context_.is_idle() || context_.names.statements.has("")) {
    run.execution->rewritten = answer_statement(answer);
    run_->held_bytes += run.execution->rewritten.size();
    return true;
  }
  decision_.answer = answer_messages(answer);
  run_->answer(answer.rows.size());
  settle();
  return false;
}

// False = refused.
bool StatementJudge::adopt_rewrite(StatementRun& run) {
  const std::string& text = run.execution->rewritten;
  if (!admit(objection_to_replacing(*run_, subject_ == Subject::function_call))) return false;
  if (!admit(put_text(context_, text, run))) return false;
  run_->held_bytes += 2 * text.size();
  if (run.analysis->touches_session) follow_settings();
  return admit(objection_to(grounds(), *run.statement));
}

// False = refused.
bool StatementJudge::put_kv(StatementRun& run) {
  const bool only_shape = subject_ == Subject::parse;
  if (!admit(put_kv_rows(context_, *config_, *run_, only_shape, run))) return false;
  run_->held_bytes += run.replacement.size();
  return true;
}

// Or refuses: what a statement adds to the settings may be too much.
void StatementJudge::run_ahead(const sql::Statement& statement) {
  if (!ahead_) return;
  const std::size_t before = ahead_->held_bytes();
  apply_statement(statement, context_.link->transaction() == pgwire::TransactionStatus::failed,
                  *ahead_);
  const std::size_t after = ahead_->held_bytes();
  if (after <= kMaxSettingsBytes || after <= before) return;
  ++context_.environment.counters->out_of_memory;
  refuse(
      state::kOutOfMemory,
      "out of memory: the helios.* settings and savepoints of the session would take more than " +
          std::to_string(kMaxSettingsBytes) + " bytes");
}

// What is read otherwise under other rules cannot be judged, or sent, while an earlier message may
// still change them out of sight.
bool StatementJudge::awaits_rules(std::string_view text) const {
  const backend::Link& link = *context_.link;
  const bool has_failed = link.transaction() == pgwire::TransactionStatus::failed;
  const bool is_uncertain = !link.owed().empty() || link.owed().hides_changes(has_failed);
  return is_uncertain && depends_on_rules(text);
}

bool StatementJudge::waits_for_rules() const {
  if (pending()) return false;
  if (stage_ == Stage::confirm) return awaits_rules(decision_.new_text);
  const bool reads_text = subject_ == Subject::query || subject_ == Subject::parse;
  return stage_ == Stage::wait_for_answers && reads_text && awaits_rules(run_->text);
}

// A text of our own making is sent only under the rules that it was made for.
void StatementJudge::confirm() {
  if (!decision_.new_text.empty() && context_.link->rules() != rules_) {
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
  // The last: a portal is held against the tenant again when it runs.
  is_followed_ = run_->has_executions() || decision_.touches_session || run_->defines_names() ||
                 run_->is_cut() || config_->tenant.required;
}

}  // namespace helios::session
