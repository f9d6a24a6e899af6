// SPDX-License-Identifier: Apache-2.0
#include "session/simple_query.hpp"

#include "pgwire/command_complete.hpp"
#include "pgwire/extended.hpp"
#include "pgwire/query.hpp"
#include "pgwire/sqlstate.hpp"
#include "session/large_objects.hpp"

#include <utility>

namespace helios::session {

namespace fe = pgwire::frontend;
namespace sqlstate = pgwire::sqlstate;
using config::Policy;

namespace {

// pg_proc.oid of set_config(text, text, bool), the same in every version.
constexpr std::uint32_t kSetConfigFunction = 2078;

}  // namespace

bool SimpleQuery::step() {
  return present_.type() == fe::kQuery ? step_query() : step_function_call();
}

void SimpleQuery::carry_out(Decision& decision) {
  if (present_.type() == fe::kQuery) {
    carry_out_query(decision);
  } else {
    carry_out_function_call(decision);
  }
}

bool SimpleQuery::step_query() {
  const auto text = pgwire::parse_query(present_.body());
  if (!text) {
    forwarder_.refuse_query(
        {std::string(sqlstate::kProtocolViolation), "invalid string in message", 0});
    return true;
  }
  ++context_.environment.counters->queries;
  if (!judge_.start(*text)) return false;
  carry_out_query(judge_.take_decision());
  return true;
}

void SimpleQuery::carry_out_query(Decision& decision) {
  if (decision.fatal) {
    context_.end.fail(sqlstate::kSystemError, kPostQueryFailed);
  } else if (decision.refusal && !decision.unreadable.empty() && !context_.link->is_batch_open()) {
    forwarder_.refuse_unreadable_query(*decision.refusal, decision.unreadable);
  } else if (decision.refusal) {
    forwarder_.refuse_query(*decision.refusal);
  } else if (!decision.answer.empty()) {
    base::Output& client = context_.actions->to_client;
    client.append(std::move(decision.answer));
    client.append(pgwire::serialize_ready_for_query(pgwire::TransactionStatus::idle));
  } else {
    forward_query(decision);
  }
}

void SimpleQuery::forward_query(Decision& decision) {
  InFlight item(fe::kQuery, decision.touches_session);
  if (!decision.pieces.texts.empty()) {
    item.names = forwarder_.drop_unnamed();
    return pieces_.begin(std::move(decision.pieces), std::move(item), forwarder_);
  }
  context_.link->fence();
  if (decision.new_text.empty()) {
    present_.forward_to(*context_.link);
  } else {
    context_.link->send(pgwire::serialize_query(decision.take_text()));
  }
  item.names = forwarder_.drop_unnamed();
  item.expect.may_copy_in = decision.may_copy_in;
  item.expect.is_bounded = decision.is_bounded;
  forwarder_.follow(std::move(item));
}

bool SimpleQuery::step_function_call() {
  const auto call = pgwire::parse_function_call(present_.body());
  if (!call) {
    forwarder_.refuse_function_call(
        {std::string(sqlstate::kProtocolViolation), "insufficient data left in message"});
    return true;
  }
  Environment& environment = context_.environment;
  auto bound = bind_large_object_call(environment, *call, context_.link->rules());
  const bool may_pass = bound || environment.config->protocol.function_call == Policy::allow;
  if (environment.chain->may_deny() && !may_pass) {
    forwarder_.refuse_function_call(
        {std::string(sqlstate::kFeatureNotSupported),
         "function calls of the protocol have no text that plugins could judge "
         "([protocol] function_call = \"deny\"): use SELECT"});
    return true;
  }
  const bool may_change_settings = call->function == kSetConfigFunction;
  if (!judge_.start_function_call(std::move(bound), may_change_settings)) return false;
  carry_out_function_call(judge_.take_decision());
  return true;
}

void SimpleQuery::carry_out_function_call(const Decision& decision) {
  if (decision.fatal) {
    context_.end.fail(sqlstate::kSystemError, kPostQueryFailed);
    return;
  }
  if (decision.refusal) {
    forwarder_.refuse_function_call(*decision.refusal);
    return;
  }
  context_.link->fence();
  InFlight item(fe::kFunctionCall, decision.touches_session);
  present_.forward_to(*context_.link);
  forwarder_.follow(std::move(item));
}

}  // namespace helios::session
