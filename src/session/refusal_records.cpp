// SPDX-License-Identifier: Apache-2.0
#include "session/refusal_records.hpp"

#include "hooks/request_id.hpp"
#include "pgwire/sqlstate.hpp"
#include "session/environment.hpp"
#include "session/identity.hpp"
#include "session/query_run.hpp"
#include "session/session_context.hpp"

#include <memory>
#include <utility>

namespace helios::session {

namespace state = pgwire::sqlstate;
using hooks::DecidedBy;

namespace {

// A longer text is not read once more for its fingerprint: it was refused, and shall not cost much.
constexpr std::size_t kMaxFingerprintedBytes = 16 * 1024;

bool refuses_something(const Refusal& refusal) {
  return refusal.sqlstate != state::kQueryCanceled && refusal.sqlstate != state::kProtocolViolation;
}

// What the grammar says of a text quotes it.
std::string reason_of(const Refusal& refusal) {
  return refusal.sqlstate == state::kSyntaxError ? "the text of the statement cannot be read"
                                                 : refusal.message;
}

std::string_view hint_of(DecidedBy by) {
  return by == DecidedBy::on_error
             ? "The plugin failed, and its on_error is \"deny\": the log of the proxy says why."
             : "";
}

std::string detail_of(const RefusalRecord& record) {
  const std::string how = record.cap.empty() ? "Refused" : "Limited";
  const std::string who =
      record.plugin.empty() ? how + " by the proxy" : how + " by plugin \"" + record.plugin + "\"";
  return (record.detail.empty() ? "" : record.detail + "\n") + who + ", request " +
         record.request_id + ".";
}

void add_decision(const hooks::ChainResult& decision, RefusalRecord& out) {
  out.decided_by = decision.decided_by;
  out.plugin = decision.plugin;
  out.detail = decision.detail;
  out.hint = decision.hint;
  out.fault = decision.fault;
}

void add_statement(const StatementRun& run, RefusalRecord& out) {
  if (run.statement != nullptr && run.statement->facts.kind != sql::StatementKind::unknown)
    out.statement_kind = sql::to_word(run.statement->facts.kind);
  const hooks::StatementExecution* execution = run.execution.get();
  if (execution == nullptr) return;
  out.tenant = execution->context->tenant_id.value_or("");
  if (execution->fingerprint_of != nullptr && execution->text.size() <= kMaxFingerprintedBytes) {
    out.fingerprint =
        execution->fingerprint_of(execution->text, execution->standard_conforming_strings);
  }
}

// The rest of the record, to the sink; and what the client is told.
Refusal note(Environment& environment, Refusal refusal, RefusalRecord record) {
  record.time_ms = environment.clock->wall_ms();
  record.reason = reason_of(refusal);
  record.sqlstate = refusal.sqlstate;
  if (record.hint.empty()) record.hint = refusal.hint;  // of a rule of the proxy
  if (record.hint.empty()) record.hint = hint_of(record.decided_by);
  refusal.detail = detail_of(record);
  refusal.hint = record.hint;
  environment.refusals->note(std::move(record));
  return refusal;
}

std::string request_id_text(std::string_view session_id, std::uint64_t statement_id) {
  const auto id = hooks::request_id(session_id, statement_id);
  return {id.begin(), id.end()};
}

}  // namespace

namespace {

// Of a statement, or of something else that a client has sent.
RefusalRecord record_of(SessionContext& context, const StatementRun* run,
                        const hooks::ChainResult* decision) {
  Environment& environment = context.environment;
  RefusalRecord record;
  context.identity.describe(record);
  if (record.tenant.empty() && !context.settings.tenant_unknown())
    record.tenant = context.settings.tenant();
  std::uint64_t id = 0;
  if (run != nullptr && run->execution) {
    id = run->execution->id;
  } else {
    id = environment.next_statement_id;
    environment.next_statement_id += environment.statement_id_step;
  }
  record.request_id = request_id_text(context.identity.session_id(), id);
  if (run != nullptr) add_statement(*run, record);
  if (decision != nullptr) add_decision(*decision, record);
  return record;
}

}  // namespace

Refusal note_refusal(SessionContext& context, Refusal refusal, const StatementRun* run,
                     const hooks::ChainResult* decision) {
  Environment& environment = context.environment;
  if (environment.refusals == nullptr || refusal.is_noted() || !refuses_something(refusal))
    return refusal;
  return note(environment, std::move(refusal), record_of(context, run, decision));
}

Refusal note_cut(SessionContext& context, const CutAnswer& cut, const StatementRun* run,
                 bool is_completed) {
  Refusal refusal{std::string(state::kProgramLimitExceeded), cut.message()};
  hooks::ChainResult decision;
  decision.decided_by = DecidedBy::cap;
  decision.plugin = cut.limit.plugin;
  decision.hint = cut.hint();
  decision.detail = cut.detail();
  if (is_completed)
    decision.detail += " The statement was completed, and what it did is committed.";
  if (context.environment.refusals == nullptr) {
    refusal.detail = decision.detail + "\nLimited by plugin \"" + decision.plugin + "\".";
    refusal.hint = decision.hint;
    return refusal;
  }
  RefusalRecord record = record_of(context, run, &decision);
  record.cap = to_word(cut.kind);
  return note(context.environment, std::move(refusal), std::move(record));
}

namespace {

RefusalRecord login_record(const Identity& identity) {
  RefusalRecord record;
  identity.describe(record);
  record.request_id = request_id_text(identity.session_id(), 0);
  record.is_login = true;
  return record;
}

}  // namespace

Refusal note_denied_login(Environment& environment, const Identity& identity, Refusal refusal,
                          const hooks::ChainResult* decision) {
  if (environment.refusals == nullptr) return refusal;
  RefusalRecord record = login_record(identity);
  if (decision != nullptr) add_decision(*decision, record);
  if (record.decided_by != DecidedBy::on_error) record.decided_by = DecidedBy::login;
  return note(environment, std::move(refusal), std::move(record));
}

namespace {

void note_failed_login(Environment& environment, const Identity& identity,
                       std::string_view sqlstate, std::string_view reason, bool by_server) {
  if (environment.refusals == nullptr) return;
  RefusalRecord record = login_record(identity);
  record.time_ms = environment.clock->wall_ms();
  record.decided_by = DecidedBy::login;
  record.sqlstate = sqlstate;
  record.reason = reason;
  environment.refusals->note_failed_login(std::move(record), by_server);
}

}  // namespace

void note_rejected_login(Environment& environment, const Identity& identity,
                         const pgwire::ErrorFieldsView& error) {
  note_failed_login(environment, identity, error.sqlstate, error.message, true);
}

void note_unfinished_login(Environment& environment, const Identity& identity,
                           std::string_view sqlstate, std::string_view reason) {
  note_failed_login(environment, identity, sqlstate, reason, false);
}

}  // namespace helios::session
