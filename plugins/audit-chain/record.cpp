// SPDX-License-Identifier: Apache-2.0

#include "record.hpp"

namespace helios::audit_chain {

using plugin::concat;
using plugin::format_int;
using plugin::Json;
using plugin::json_string;
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
// Something of what the record shows stands there as ***.
constexpr StringView kRedacted = ",\"redacted\":true";

String hex(uint64_t number, int digits) {
  static constexpr char kDigits[] = "0123456789abcdef";
  String text;
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
    text.append(kDigits[(number >> shift) & 15]);
  return text;
}

bool continues_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// The beginning of `text`, not ending within a character of UTF-8.
StringView first_bytes(StringView text, size_t max) {
  if (text.size() <= max) return text;
  while (max > 0 && continues_character(text[max])) --max;
  return {text.data(), max};
}

String name_field(StringView name, StringView value, size_t max = kMaxNameBytes) {
  return concat(",\"", name, "\":", json_string(first_bytes(value, max)));
}

String name_or_null(StringView name, const Optional<String>& value) {
  return value ? name_field(name, *value) : concat(",\"", name, "\":null");
}

String number_field(StringView name, int64_t number) {
  return concat(",\"", name, "\":", format_int(number));
}

// What every record begins with.
String head_of(StringView type, int64_t now_ms, const QueryContext& context) {
  return concat("{\"type\":\"", type, "\",\"version\":4,\"time_ms\":", format_int(now_ms),
                name_field("request", context.request_id()));
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
String parameter_entry(const QueryContext& context, uint32_t index) {
  const Optional<plugin::ParameterKind> kind = context.parameter_kind(index);
  if (!kind || !kind->length) return "null";
  return concat("{\"type\":", format_int(kind->type_oid), ",\"format\":\"",
                kind->is_binary ? "binary" : "text", "\",\"bytes\":", format_int(*kind->length),
                ",\"hmac\":", json_string(context.parameter_hmac(index)), "}");
}

// Those behind kMaxParameters: how many, and one hash of all: from 64 zeros on, for each the SHA-256 of the
// hash so far, t, b or n (NULL), and the HMAC of the value.
String further_parameters(const QueryContext& context, uint32_t count) {
  if (count <= kMaxParameters) return "null";
  String hash;
  for (size_t i = 0; i < kHashDigits; ++i) hash.append('0');
  for (uint32_t i = kMaxParameters; i < count; ++i) {
    const Optional<plugin::ParameterKind> kind = context.parameter_kind(i);
    const bool has_value = kind && kind->length;
    const StringView format = !has_value ? "n" : kind->is_binary ? "b" : "t";
    hash = plugin::sha256_hex(concat(hash, format, context.parameter_hmac(i)));
  }
  return concat("{\"count\":", format_int(count - kMaxParameters),
                ",\"sha256\":", json_string(hash), "}");
}

String parameter_fields(const QueryContext& context) {
  const uint32_t count = context.parameter_count();
  String list = ",\"parameters\":[";
  for (uint32_t i = 0; i < count && i < kMaxParameters; ++i) {
    if (i != 0) list.append(",");
    list.append(parameter_entry(context, i));
  }
  return concat(list, "],\"more_parameters\":", further_parameters(context, count));
}

String who(const QueryContext& context) {
  String text =
      concat(name_field("session", context.client_id()), name_field("user", context.user()),
             name_field("database", context.database()));
  text.append(name_or_null("tenant", context.tenant()));
  text.append(name_or_null("agent", context.attribute("agent_id")));
  text.append(name_or_null("client", context.attribute("client_ip")));
  text.append(name_or_null("application", context.attribute("application_name")));
  return text;
}

// Length and digest of all of the text without its secrets, and how it begins.
String text_fields(const QueryContext& context, StringView digest) {
  const String start = context.redacted_start(kMaxTextBytes + 1);
  return concat(number_field("text_bytes", context.redacted_length()),
                ",\"text_sha256\":", json_string(digest),
                ",\"text\":", json_string(first_bytes(start, kMaxTextBytes)));
}

}  // namespace

String format_intent(int64_t now_ms, const QueryContext& context, StringView text_digest) {
  String record = concat(head_of("intent", now_ms, context), who(context));
  const Optional<uint64_t> fingerprint = context.fingerprint();
  record.append(fingerprint ? name_field("fingerprint", hex(*fingerprint, 16))
                            : String(",\"fingerprint\":null"));
  record.append(parameter_fields(context));
  const String execute = context.redacted_execute_text();
  if (!execute.empty()) record.append(name_field("execute", execute, kMaxExecuteBytes));
  if (context.is_redacted()) record.append(kRedacted);
  return concat(record, text_fields(context, text_digest), "}");
}

String format_outcome(int64_t now_ms, const QueryContext& context, const Outcome& outcome,
                      bool rewritten) {
  String record =
      concat(head_of("outcome", now_ms, context), name_field("outcome", outcome_name(outcome.kind)),
             name_field("tag", outcome.command_tag), ",\"rows\":");
  record.append(outcome.rows ? format_int(*outcome.rows) : String("null"));
  record.append(number_field("duration_us", outcome.elapsed_us));
  record.append(number_field("answer_bytes", outcome.response_bytes));
  record.append(name_field("sqlstate", outcome.sqlstate));
  const String error = outcome.error.empty() ? String() : outcome.redacted_error();
  if (!error.empty()) record.append(name_field("error", error, kMaxReasonBytes));
  if (error != outcome.error || (rewritten && context.is_redacted())) record.append(kRedacted);
  if (rewritten) record.append(text_fields(context, context.redacted_sha256()));
  return concat(record, "}");
}

String format_settlement(int64_t now_ms, const QueryContext& context, Settlement settlement) {
  return concat(head_of("settlement", now_ms, context),
                name_field("settlement", settlement_name(settlement)), "}");
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
  return concat("{\"type\":\"carried\",\"version\":4,\"time_ms\":", format_int(now_ms),
                number_field("seq", *number), ",\"sha256\":", json_string(*text), "}");
}

}  // namespace helios::audit_chain
