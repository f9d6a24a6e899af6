// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a hook is told about a statement, and what it may answer. Nothing is fetched before it is asked
// for, so a hook that looks at the tenant alone pays for the tenant alone.

#include "helios/text.hpp"
#include "helios_abi2.h"

#include <stddef.h>
#include <stdint.h>

namespace helios::plugin {

namespace detail {

inline constexpr uint32_t kFirstReadBytes = 512;
inline constexpr uint32_t kShortFieldBytes = 128;
inline constexpr uint32_t kLargestReadBytes = uint32_t{64} << 20;

inline uint32_t length_of(StringView text) {
  if (text.size() > INT32_MAX) fail();
  return static_cast<uint32_t>(text.size());
}

// What `read(out, out_max)` gives, in a buffer that grows until it fits; nothing when there is none.
template <class Read>
[[nodiscard]] Optional<String> read_bytes(Read read, uint32_t room = kFirstReadBytes) {
  for (; room <= kLargestReadBytes; room *= 8) {
    String value;
    value.reserve(room);
    const int32_t length = read(value.data(), room);
    if (length >= 0) {
      value.assume_size(static_cast<size_t>(length));
      return value;
    }
    if (length != HELIOS_TOO_SMALL) return {};
  }
  fail();
}

// Most fields are short, and are read by one call; a longer one is asked for its length first.
inline Optional<String> bytes_field(uint32_t field) {
  const auto read = [field](char* out, uint32_t max) { return helios_field(field, out, max); };
  String value;
  value.reserve(kShortFieldBytes);
  const int32_t length = read(value.data(), kShortFieldBytes);
  if (length == HELIOS_TOO_SMALL)
    return read_bytes(read, static_cast<uint32_t>(helios_field_length(field)));
  if (length < 0) return {};
  value.assume_size(static_cast<size_t>(length));
  return value;
}

// Up to `max` bytes of what `read(from, out, out_max)` gives.
template <class Read>
[[nodiscard]] String read_start(Read read, size_t max) {
  String start;
  start.reserve(max);
  const int32_t bytes = read(0, start.data(), static_cast<uint32_t>(max));
  start.assume_size(bytes > 0 ? static_cast<size_t>(bytes) : 0);
  return start;
}

// The digits that `read(out)` writes; empty when there are none.
template <class Read>
[[nodiscard]] String read_digest(Read read) {
  constexpr int32_t kDigits = 64;
  String digest;
  digest.reserve(kDigits);
  digest.assume_size(read(digest.data()) == kDigits ? kDigits : 0);
  return digest;
}

inline Optional<int64_t> number_field(uint32_t field) {
  int64_t value = 0;
  if (helios_field_number(field, &value) != HELIOS_OK) return {};
  return value;
}

}  // namespace detail

// A value that a client bound to $1, $2, ...
struct Parameter {
  uint32_t type_oid = 0;  // as Parse declared it; 0: left to the server
  bool is_binary = false;
  Optional<String> value;  // nothing: NULL
};

// What kind of value a parameter is, without the value.
struct ParameterKind {
  uint32_t type_oid = 0;
  bool is_binary = false;
  Optional<uint32_t> length;  // nothing: NULL
};

// The statement and who runs it. Valid within the hook call that it was passed to.
class QueryContext {
 public:
  // The statement as it will run; empty in settled, and of a function call.
  [[nodiscard]] String query() const { return text(HELIOS_TEXT); }
  // As the client sent it, before plugins rewrote it.
  [[nodiscard]] String original_query() const { return text(HELIOS_ORIGINAL_TEXT); }
  // Of query(): its length, its first bytes, and the SHA-256 of all of it in hexadecimal digits. The text itself, of
  // any length, stays with the host.
  [[nodiscard]] uint32_t query_length() const { return length(HELIOS_TEXT); }
  [[nodiscard]] String query_start(size_t max) const { return start(HELIOS_TEXT, max); }
  [[nodiscard]] String query_sha256() const {
    return detail::read_digest([](char* out) { return helios_field_sha256_hex(HELIOS_TEXT, out); });
  }
  // The same of the text without secrets: passwords and keys have become "***". What is kept or sent on should be this.
  [[nodiscard]] String redacted_query() const { return text(HELIOS_REDACTED_TEXT); }
  [[nodiscard]] uint32_t redacted_length() const { return length(HELIOS_REDACTED_TEXT); }
  [[nodiscard]] String redacted_start(size_t max) const { return start(HELIOS_REDACTED_TEXT, max); }
  [[nodiscard]] String redacted_sha256() const {
    return detail::read_digest(
        [](char* out) { return helios_field_sha256_hex(HELIOS_REDACTED_TEXT, out); });
  }
  // Does it, or redacted_execute_text(), hide something?
  [[nodiscard]] bool is_redacted() const { return number(HELIOS_IS_REDACTED) == 1; }
  // The text of the SQL EXECUTE that runs the statement, with its arguments; empty: none does.
  [[nodiscard]] String execute_text() const { return text(HELIOS_EXECUTE_TEXT); }
  [[nodiscard]] String redacted_execute_text() const { return text(HELIOS_REDACTED_EXECUTE_TEXT); }
  // Of the text as the client sent it, by PostgreSQL's grammar: the same for texts that differ in constants,
  // layout and comments alone. Nothing where the grammar cannot tell, and for texts over 64 KiB.
  [[nodiscard]] Optional<uint64_t> fingerprint() const {
    const Optional<int64_t> bits = detail::number_field(HELIOS_FINGERPRINT);
    return bits ? Optional<uint64_t>(static_cast<uint64_t>(*bits)) : Optional<uint64_t>();
  }
  // An Execute of a prepared statement: its client has asked Describe for the columns, not the answer.
  [[nodiscard]] bool is_prepared() const { return number(HELIOS_ORIGIN) == HELIOS_ORIGIN_EXECUTE; }
  [[nodiscard]] bool is_read_only() const { return number(HELIOS_IS_READ_ONLY) == 1; }
  // It is BEGIN, COMMIT, SET or the like, which only plugins with statements = "all" are told of.
  [[nodiscard]] bool manages_session() const { return number(HELIOS_MANAGES_SESSION) == 1; }

  // How often plugins have rewritten the statement so far: the same number as in pre_query, the same text.
  [[nodiscard]] int64_t rewrites() const { return number(HELIOS_REWRITES); }

  // Who asks. Empty where it is not known.
  [[nodiscard]] String user() const { return text(HELIOS_USER); }
  [[nodiscard]] String database() const { return text(HELIOS_DATABASE); }
  [[nodiscard]] Optional<String> tenant() const { return detail::bytes_field(HELIOS_TENANT); }

  // One per statement execution: the same in all of its hooks.
  [[nodiscard]] String request_id() const { return text(HELIOS_REQUEST_ID); }
  // One per client session.
  [[nodiscard]] String client_id() const { return text(HELIOS_SESSION_ID); }

  // By name: "tenant_id", "application_name", "client_ip", "agent_id", "model_id", every helios.*
  // setting under its own name, "helios.region", and the manifest's [config] as "config.<key>".
  [[nodiscard]] Optional<String> attribute(StringView name) const {
    return detail::read_bytes([name](char* out, uint32_t max) {
      return helios_attribute(name.data(), detail::length_of(name), out, max);
    });
  }

  [[nodiscard]] uint32_t parameter_count() const {
    return static_cast<uint32_t>(number(HELIOS_PARAMETER_COUNT));
  }
  // Nothing when there are not so many; the first is 0.
  [[nodiscard]] Optional<Parameter> parameter(uint32_t index) const {
    helios_parameter_kind kind;
    if (helios_get_parameter_kind(index, &kind) != HELIOS_OK) return {};
    Parameter parameter{kind.type_oid, kind.format == 1, {}};
    if (kind.length >= 0)
      parameter.value = detail::read_bytes(
          [index](char* out, uint32_t max) { return helios_get_parameter(index, out, max); },
          kind.length == 0 ? 1 : static_cast<uint32_t>(kind.length));
    return parameter;
  }

  // The same without the value; its first bytes, and the SHA-256 of all of it: both empty of NULL.
  [[nodiscard]] Optional<ParameterKind> parameter_kind(uint32_t index) const {
    helios_parameter_kind kind;
    if (helios_get_parameter_kind(index, &kind) != HELIOS_OK) return {};
    ParameterKind parameter{kind.type_oid, kind.format == 1, {}};
    if (kind.length >= 0) parameter.length = static_cast<uint32_t>(kind.length);
    return parameter;
  }
  [[nodiscard]] String parameter_start(uint32_t index, size_t max) const {
    return detail::read_start(
        [index](uint32_t from, char* out, uint32_t room) {
          return helios_get_parameter_part(index, from, out, room);
        },
        max);
  }
  [[nodiscard]] String parameter_sha256(uint32_t index) const {
    return detail::read_digest(
        [index](char* out) { return helios_get_parameter_sha256_hex(index, out); });
  }
  // The HMAC-SHA-256 of all of it with a key of the proxy's: what may be kept of a value. Empty of NULL.
  [[nodiscard]] String parameter_hmac(uint32_t index) const {
    return detail::read_digest(
        [index](char* out) { return helios_get_parameter_hmac_hex(index, out); });
  }

  // Notes of pre_query for the later hooks of the same statement: up to HELIOS_SCRATCH_BYTES.
  void keep(StringView notes) const {
    if (helios_scratch_set(notes.data(), detail::length_of(notes)) != HELIOS_OK) fail();
  }
  [[nodiscard]] String kept() const {
    return detail::read_bytes(helios_scratch_get, HELIOS_SCRATCH_BYTES).value_or(String());
  }

 private:
  static String text(uint32_t field) { return detail::bytes_field(field).value_or(String()); }
  static uint32_t length(uint32_t field) {
    const int32_t bytes = helios_field_length(field);
    return bytes < 0 ? 0 : static_cast<uint32_t>(bytes);
  }
  static String start(uint32_t field, size_t max) {
    return detail::read_start(
        [field](uint32_t from, char* out, uint32_t room) {
          return helios_field_part(field, from, out, room);
        },
        max);
  }
  static int64_t number(uint32_t field) { return detail::number_field(field).value_or(0); }
};

// What became of the transaction that a statement ran in.
enum class Settlement { committed, rolled_back, unknown };

[[nodiscard]] inline Settlement settlement_of(int64_t number) {
  if (number == HELIOS_SETTLED_COMMITTED) return Settlement::committed;
  return number == HELIOS_SETTLED_ROLLED_BACK ? Settlement::rolled_back : Settlement::unknown;
}

// How a statement ended.
struct Outcome {
  enum class Kind {
    executed,  // the server completed it
    failed,    // the server answered it with an error
    refused,   // it never ran: a plugin or the proxy refused its message
    skipped,   // it never ran: an earlier statement of its message failed
    lost,      // the connection ended before the answer: it may have run
    answered,  // it never ran: the rows of a plugin were its answer
    unknown,   // it may have run, nobody can say
  };
  Kind kind = Kind::executed;
  bool success = false;  // executed or answered
  int64_t elapsed_us = 0;
  int64_t response_bytes = 0;  // all messages of its answer, framing included
  Optional<int64_t> rows;      // from its command tag, where that has a count
  String error;                // empty: none
  String sqlstate;             // of the error
  String command_tag;

  // True unless it is certain that the server never worked on it. Who charges or records asks this.
  [[nodiscard]] bool may_have_run() const {
    return ran() || kind == Kind::lost || kind == Kind::unknown;
  }
  // True when it is certain that the server worked on it.
  [[nodiscard]] bool ran() const { return kind == Kind::executed || kind == Kind::failed; }

  // What became of the transaction, where that is known by now: outside of transaction blocks it mostly is. Nothing:
  // settled will tell. Asks the host, as skip_settled() does: only within the post_query that was passed this.
  [[nodiscard]] Optional<Settlement> settlement() const {
    const Optional<int64_t> number = detail::number_field(HELIOS_SETTLEMENT);
    return number ? Optional<Settlement>(settlement_of(*number)) : Optional<Settlement>();
  }
  // This plugin needs no settled call for this statement. Requires: settlement() says something.
  void skip_settled() const {
    if (helios_skip_settled() != HELIOS_OK) fail();
  }

  // `error` without secrets; empty: none. Asks the host: only within the hook call that was passed this.
  [[nodiscard]] String redacted_error() const {
    return detail::bytes_field(HELIOS_REDACTED_ERROR_MESSAGE).value_or(String());
  }

  // That of the hook call which runs. Requires: it is a post_query or a settled.
  [[nodiscard]] static Outcome present() {
    Outcome outcome;
    outcome.kind = kind_of(detail::number_field(HELIOS_OUTCOME));
    outcome.success = outcome.kind == Kind::executed || outcome.kind == Kind::answered;
    outcome.elapsed_us = detail::number_field(HELIOS_DURATION_NS).value_or(0) / 1000;
    outcome.response_bytes = detail::number_field(HELIOS_RESPONSE_BYTES).value_or(0);
    outcome.rows = detail::number_field(HELIOS_ROWS);
    outcome.command_tag = detail::bytes_field(HELIOS_COMMAND_TAG).value_or(String());
    if (outcome.success) return outcome;
    outcome.error = detail::bytes_field(HELIOS_ERROR_MESSAGE).value_or(String());
    outcome.sqlstate = detail::bytes_field(HELIOS_SQLSTATE).value_or(String());
    return outcome;
  }

 private:
  static Kind kind_of(Optional<int64_t> number) {
    if (!number) fail();
    switch (*number) {
      case HELIOS_OUTCOME_EXECUTED: return Kind::executed;
      case HELIOS_OUTCOME_ANSWERED: return Kind::answered;
      case HELIOS_OUTCOME_FAILED: return Kind::failed;
      case HELIOS_OUTCOME_REFUSED: return Kind::refused;
      case HELIOS_OUTCOME_SKIPPED: return Kind::skipped;
      case HELIOS_OUTCOME_LOST: return Kind::lost;
      default: return Kind::unknown;  // also one that a later proxy may add
    }
  }
};

// What pre_query answers; made by the functions below.
struct Verdict {
  enum class Action { proceed, block, rewrite, answer };
  Action action = Action::proceed;
  String text;
  String sqlstate;
};

// Let the statement run.
[[nodiscard]] inline Verdict proceed() { return {}; }

// Refuse it, and the message it came in. The client reads the reason and the
// SQLSTATE, five digits or capital letters; empty is the default, 42000.
[[nodiscard]] inline Verdict block(StringView reason, StringView sqlstate = {}) {
  return {Verdict::Action::block, reason, sqlstate};
}

// Say more of a refusal: what led to it, and what to do about it. Called before block(), which it does not replace:
//
//   explain("100 of 100 statements used", "wait until 12:00, or ask for a larger budget");
//   return block("budget reached", "53400");
//
// Only a plugin that calls this needs a proxy that offers it.
inline void explain(StringView what, StringView hint = {}) {
  if (!what.empty()) helios_explain(HELIOS_EXPLAIN_DETAIL, what.data(), detail::length_of(what));
  if (!hint.empty()) helios_explain(HELIOS_EXPLAIN_HINT, hint.data(), detail::length_of(hint));
}

// Run this text instead: one statement. Plugins after this one see the new text.
[[nodiscard]] inline Verdict rewrite(StringView sql) { return {Verdict::Action::rewrite, sql, {}}; }

// Let it run, but bound its answer: of more rows, or more bytes of rows, than this, none is sent. The statement is
// cancelled then, and the client gets an error (54000) in the place of its end. Called before proceed() or rewrite():
//
//   limit_rows(1000, "add a LIMIT");
//   return proceed();
//
// 0 lets no row pass. `hint` is what the client is told to do; empty is a general one. Only a plugin that calls these
// needs a proxy that offers them.
inline void limit_rows(int64_t most, StringView hint = {}) {
  if (helios_limit_rows(most) != HELIOS_OK) fail();
  explain({}, hint);
}
inline void limit_bytes(int64_t most, StringView hint = {}) {
  if (helios_limit_bytes(most) != HELIOS_OK) fail();
  explain({}, hint);
}

// Answer with rows:
//
//   Answer answer;
//   answer.column("name").column("number", 23);
//   answer.value("one").value("1");
//   answer.value("nothing").null();
//   return answer.done();
//
// A hook that has begun an answer must return it, or block.
class Answer {
 public:
  Answer() { check(helios_answer_begin()); }
  Answer& column(StringView name, uint32_t type_oid = 25) {
    return check(helios_answer_column(name.data(), detail::length_of(name), type_oid));
  }
  Answer& value(StringView text) {
    return check(helios_answer_value(text.data(), detail::length_of(text)));
  }
  Answer& null() { return check(helios_answer_null()); }
  [[nodiscard]] Verdict done() const { return {Verdict::Action::answer, {}, {}}; }

 private:
  Answer& check(int32_t code) {
    if (code != HELIOS_OK) fail();
    return *this;
  }
};

}  // namespace helios::plugin
