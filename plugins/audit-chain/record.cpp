// SPDX-License-Identifier: Apache-2.0

#include "record.hpp"

namespace helios::audit_chain {

using plugin::append_all;
using plugin::append_int;
using plugin::append_json;
using plugin::concat;
using plugin::Json;
using plugin::Optional;
using plugin::Outcome;
using plugin::QueryContext;
using plugin::Settlement;
using plugin::String;
using plugin::StringView;

namespace {

constexpr size_t kHashDigits = 64;
// Escaping makes six bytes of one at worst; all of it together stays below kMaxRecordBytes.
constexpr size_t kMaxTextBytes = 6144;
constexpr size_t kMaxExecuteBytes = 512;
constexpr uint32_t kMaxParameters = 16;  // that have an entry of their own
constexpr size_t kMaxNameBytes = 256;
constexpr size_t kMaxReasonBytes = 512;
// Most records fit into it.
constexpr size_t kUsualBytes = 2048;

bool continues_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// The beginning of `text`, not ending within a character of UTF-8.
StringView first_bytes(StringView text, size_t max) {
  if (text.size() <= max) return text;
  while (max > 0 && continues_character(text[max])) --max;
  return {text.data(), max};
}

// A record as it grows, member by member: one JSON object.
class Record {
 public:
  Record(StringView type, int64_t now_ms) {
    bytes_.reserve(kUsualBytes);
    append_all(bytes_, "{\"type\":\"", type, "\",\"version\":4");
    number("time_ms", now_ms);
  }

  // The value is what is appended to raw() next.
  void name(StringView name) { append_all(bytes_, ",\"", name, "\":"); }
  void number(StringView name, int64_t number) {
    this->name(name);
    append_int(bytes_, number);
  }
  void number(StringView name, const Optional<int64_t>& number) {
    number ? this->number(name, *number) : null(name);
  }
  void text(StringView name, StringView value, size_t max = kMaxNameBytes) {
    this->name(name);
    append_json(bytes_, first_bytes(value, max));
  }
  void text_or_null(StringView name, const Optional<String>& value) {
    value ? text(name, value->view()) : null(name);
  }
  void null(StringView name) { append_all(bytes_, ",\"", name, "\":null"); }
  // Something of what the record shows stands there as ***.
  void redacted() { bytes_.append(",\"redacted\":true"); }

  [[nodiscard]] String& raw() { return bytes_; }
  [[nodiscard]] String end() {
    bytes_.append('}');
    return static_cast<String&&>(bytes_);
  }

 private:
  String bytes_;
};

Record begin(StringView type, int64_t now_ms, const QueryContext& context) {
  Record record(type, now_ms);
  record.text("request", context.request_id());
  return record;
}

StringView outcome_name(Outcome::Kind kind) {
  switch (kind) {
    case Outcome::Kind::executed: return "executed";
    case Outcome::Kind::failed: return "failed";
    case Outcome::Kind::refused: return "refused";
    case Outcome::Kind::skipped: return "skipped";
    case Outcome::Kind::lost: return "lost";
    case Outcome::Kind::answered: return "answered";
    case Outcome::Kind::unknown: return "unknown";
  }
  return "";
}

StringView settlement_name(Settlement settlement) {
  switch (settlement) {
    case Settlement::committed: return "committed";
    case Settlement::rolled_back: return "rolled back";
    case Settlement::unknown: return "unknown";
  }
  return "";
}

// One parameter: its type and format, its length, and its HMAC. Nothing of the value itself, which may be a password.
void append_parameter(String& out, const QueryContext& context, uint32_t index) {
  const Optional<plugin::ParameterKind> kind = context.parameter_kind(index);
  if (!kind || !kind->length) return out.append("null");
  out.append("{\"type\":");
  append_int(out, kind->type_oid);
  append_all(out, ",\"format\":\"", kind->is_binary ? "binary" : "text", "\",\"bytes\":");
  append_int(out, *kind->length);
  append_all(out, ",\"hmac\":\"", context.parameter_hmac(index), "\"}");
}

// Those behind kMaxParameters: how many, and one hash of all: from 64 zeros on, for each the SHA-256 of the
// hash so far, t, b or n (NULL), and the HMAC of the value.
void append_further_parameters(String& out, const QueryContext& context, uint32_t count) {
  if (count <= kMaxParameters) return out.append("null");
  String hash;
  for (size_t i = 0; i < kHashDigits; ++i) hash.append('0');
  for (uint32_t i = kMaxParameters; i < count; ++i) {
    const Optional<plugin::ParameterKind> kind = context.parameter_kind(i);
    const bool has_value = kind && kind->length;
    const StringView format = !has_value ? "n" : kind->is_binary ? "b" : "t";
    hash = plugin::sha256_hex(concat(hash, format, context.parameter_hmac(i)));
  }
  out.append("{\"count\":");
  append_int(out, count - kMaxParameters);
  append_all(out, ",\"sha256\":\"", hash, "\"}");
}

void add_parameters(Record& record, const QueryContext& context) {
  const uint32_t count = context.parameter_count();
  record.name("parameters");
  record.raw().append('[');
  for (uint32_t i = 0; i < count && i < kMaxParameters; ++i) {
    if (i != 0) record.raw().append(',');
    append_parameter(record.raw(), context, i);
  }
  record.raw().append(']');
  record.name("more_parameters");
  append_further_parameters(record.raw(), context, count);
}

void add_who(Record& record, const QueryContext& context) {
  record.text("session", context.client_id());
  record.text("user", context.user());
  record.text("database", context.database());
  record.text_or_null("tenant", context.tenant());
  record.text_or_null("agent", context.attribute("agent_id"));
  record.text_or_null("client", context.attribute("client_ip"));
  record.text_or_null("application", context.attribute("application_name"));
}

// 16 hexadecimal digits.
void add_fingerprint(Record& record, const Optional<uint64_t>& fingerprint) {
  static constexpr char kDigits[] = "0123456789abcdef";
  if (!fingerprint) return record.null("fingerprint");
  record.name("fingerprint");
  record.raw().append('"');
  for (int shift = 60; shift >= 0; shift -= 4)
    record.raw().append(kDigits[(*fingerprint >> shift) & 15]);
  record.raw().append('"');
}

// Length and digest of all of the text without its secrets, and how it begins. Most texts hide nothing, and then it is
// the text itself, which costs less to ask for.
void add_text(Record& record, const QueryContext& context, bool is_redacted) {
  const uint32_t bytes = is_redacted ? context.redacted_length() : context.query_length();
  const size_t shown = bytes < kMaxTextBytes + 1 ? bytes : kMaxTextBytes + 1;
  record.number("text_bytes", bytes);
  record.text("text_sha256", is_redacted ? context.redacted_sha256() : context.query_sha256());
  record.text("text", is_redacted ? context.redacted_start(shown) : context.query_start(shown),
              kMaxTextBytes);
}

}  // namespace

String format_intent(int64_t now_ms, const QueryContext& context) {
  Record record = begin("intent", now_ms, context);
  const bool is_redacted = context.is_redacted();
  add_who(record, context);
  add_fingerprint(record, context.fingerprint());
  add_parameters(record, context);
  const String execute = context.redacted_execute_text();
  if (!execute.empty()) record.text("execute", execute, kMaxExecuteBytes);
  if (is_redacted) record.redacted();
  add_text(record, context, is_redacted);
  return record.end();
}

String format_outcome(int64_t now_ms, const QueryContext& context, const Outcome& outcome,
                      const Optional<Settlement>& settlement, bool is_rewritten) {
  Record record = begin("outcome", now_ms, context);
  record.text("outcome", outcome_name(outcome.kind));
  record.text("tag", outcome.command_tag);
  record.number("rows", outcome.rows);
  record.number("duration_us", outcome.elapsed_us);
  record.number("answer_bytes", outcome.response_bytes);
  record.text("sqlstate", outcome.sqlstate);
  const String error = outcome.error.empty() ? String() : outcome.redacted_error();
  if (!error.empty()) record.text("error", error, kMaxReasonBytes);
  if (settlement) record.text("settlement", settlement_name(*settlement));
  const bool is_redacted = is_rewritten && context.is_redacted();
  if (is_redacted || error != outcome.error) record.redacted();
  if (is_rewritten) add_text(record, context, is_redacted);
  return record.end();
}

String format_settlement(int64_t now_ms, const QueryContext& context, Settlement settlement) {
  Record record = begin("settlement", now_ms, context);
  record.text("settlement", settlement_name(settlement));
  return record.end();
}

String format_event(int64_t now_ms, StringView kind, StringView json) {
  Record record("event", now_ms);
  record.text("event", kind);
  record.name("detail");
  record.raw().append(json);
  return record.end();
}

Optional<String> format_carried(int64_t now_ms, StringView head) {
  const Optional<Json> object = Json::parse(head);
  if (!object) return {};
  const Optional<Json> seq = object->member("seq");
  const Optional<Json> hash = object->member("sha256");
  if (!seq || !hash) return {};
  const Optional<int64_t> number = seq->integer();
  const Optional<String> text = hash->string();
  if (!number || *number < 1 || !text || text->size() != kHashDigits) return {};
  Record record("carried", now_ms);
  record.number("seq", *number);
  record.text("sha256", text->view());
  return record.end();
}

}  // namespace helios::audit_chain
