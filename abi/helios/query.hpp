// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a hook is told about a statement, and what it may answer.

#include "helios/json.hpp"
#include "helios/text.hpp"

#include <stdint.h>

namespace helios::plugin {

// The statement and who runs it. Valid within the hook call that it was passed to.
class QueryContext {
 public:
  QueryContext() = default;
  explicit QueryContext(Json json) : json_(json) {
    hook_context_ = json.member("hook_context").value_or(Json());
    attributes_ = hook_context_.member("attributes").value_or(Json());
  }

  // Nothing when this is not the JSON of a statement.
  [[nodiscard]] static Optional<QueryContext> from(Optional<Json> json) {
    if (!json || json->kind() != Json::Kind::object) return {};
    return QueryContext(*json);
  }

  // The text of the one statement, as the client sent it.
  [[nodiscard]] String query() const { return text_of(json_, "query"); }
  [[nodiscard]] bool is_read_only() const {
    const Optional<Json> flag = json_.member("is_read_only");
    return flag && flag->boolean().value_or(false);
  }

  // Who asks. Empty where it is not known.
  [[nodiscard]] String user() const {
    // A plain name here; other hosts send an object.
    const Json identity = hook_context_.member("identity").value_or(Json());
    return identity.string().value_or(text_of(identity, "username"));
  }
  [[nodiscard]] String database() const { return text_of(hook_context_, "database"); }

  // One per statement execution: the same in its pre_query and its post_query.
  [[nodiscard]] String request_id() const { return text_of(hook_context_, "request_id"); }
  // One per client session.
  [[nodiscard]] String client_id() const { return text_of(hook_context_, "client_id"); }

  // By name: "tenant_id", "application_name", "client_ip", "agent_id", "model_id", and every
  // helios.* setting under its own name, "helios.region".
  [[nodiscard]] Optional<String> attribute(StringView name) const {
    const Optional<Json> value = attributes_.member(name);
    if (!value) return {};
    return value->string();
  }

 private:
  static String text_of(const Json& object, StringView name) {
    const Optional<Json> value = object.member(name);
    if (!value) return {};
    return value->string().value_or(String());
  }

  Json json_;
  Json hook_context_;
  Json attributes_;
};

// How a statement ended.
struct Outcome {
  enum class Kind {
    executed,  // the server completed it
    failed,    // the server answered it with an error
    refused,   // it never ran: a plugin or the proxy refused its message
    skipped,   // it never ran: an earlier statement of its message failed
    lost,      // the connection ended before the answer
    answered,  // it never ran: the rows of a plugin were its answer
  };
  Kind kind = Kind::executed;
  bool success = false;  // executed or answered
  int64_t elapsed_us = 0;
  int64_t response_bytes = 0;  // all messages of its answer, framing included
  Optional<int64_t> rows;      // from its command tag, where that has a count
  String error;                // empty: none

  // True when the server worked on it.
  [[nodiscard]] bool ran() const { return kind == Kind::executed || kind == Kind::failed; }

  // Nothing when this is not the JSON of an outcome.
  [[nodiscard]] static Optional<Outcome> from(Optional<Json> json) {
    if (!json || json->kind() != Json::Kind::object) return {};
    Outcome outcome;
    if (const auto field = json->member("success"))
      outcome.success = field->boolean().value_or(false);
    if (const auto field = json->member("elapsed_us"))
      outcome.elapsed_us = field->integer().value_or(0);
    if (const auto field = json->member("response_bytes"))
      outcome.response_bytes = field->integer().value_or(0);
    if (const auto field = json->member("rows")) outcome.rows = field->integer();
    if (const auto field = json->member("error"))
      outcome.error = field->string().value_or(String());
    outcome.kind = kind_of(json->member("outcome").value_or(Json()), outcome.success);
    return outcome;
  }

 private:
  // A host that does not say how it ended says at least whether it succeeded.
  static Kind kind_of(const Json& json, bool success) {
    const String name = json.string().value_or(String());
    if (name == "executed") return Kind::executed;
    if (name == "answered") return Kind::answered;
    if (name == "failed") return Kind::failed;
    if (name == "refused") return Kind::refused;
    if (name == "skipped") return Kind::skipped;
    if (name == "lost") return Kind::lost;
    return success ? Kind::executed : Kind::failed;
  }
};

// What pre_query answers; made by the functions below.
struct Verdict {
  enum class Action { proceed, block, rewrite };
  Action action = Action::proceed;
  String text;
  String sqlstate;
};

// Let the statement run.
[[nodiscard]] inline Verdict proceed() { return {}; }

// Refuse it, and the message it came in. The client reads "Query blocked by plugin: <reason>" and the
// SQLSTATE, five digits or capital letters; empty is the default, 42000.
[[nodiscard]] inline Verdict block(StringView reason, StringView sqlstate = {}) {
  return {Verdict::Action::block, reason, sqlstate};
}

// Run this text instead: one statement. Plugins after this one see the new text.
[[nodiscard]] inline Verdict rewrite(StringView sql) { return {Verdict::Action::rewrite, sql, {}}; }

}  // namespace helios::plugin
