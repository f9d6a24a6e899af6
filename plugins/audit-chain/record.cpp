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
using plugin::String;
using plugin::StringView;

namespace {

constexpr size_t kHashDigits = 64;
// Escaping makes six bytes of one at worst; all of it together stays below kMaxRecordBytes.
constexpr size_t kMaxTextBytes = 6144;
constexpr size_t kMaxExecuteBytes = 512;
constexpr size_t kMaxParameterBytes = 1024;  // of the values, all of them together
constexpr uint32_t kMaxParameters = 16;      // that have an entry of their own
constexpr size_t kMaxNameBytes = 256;

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

String name_field(StringView name, StringView value) {
  return concat(",\"", name, "\":", json_string(first_bytes(value, kMaxNameBytes)));
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

// The first bytes of a value in binary format as \x and hex digits, as PostgreSQL writes a bytea.
String binary_start(StringView value, size_t max) {
  String text = "\\x";
  for (size_t i = 0; i < value.size() && text.size() + 2 <= max; ++i)
    text.append(hex(static_cast<unsigned char>(value[i]), 2));
  return text;
}

// One parameter: its format, its whole length, the SHA-256 of all of it, and how it begins. Takes what it
// shows from `left`.
String parameter_entry(const Optional<plugin::Parameter>& parameter, size_t& left) {
  if (!parameter || !parameter->value) return "null";
  const String& value = *parameter->value;
  const String start =
      parameter->is_binary ? binary_start(value, left) : String(first_bytes(value, left));
  left -= start.size() < left ? start.size() : left;
  return concat("{\"format\":\"", parameter->is_binary ? "binary" : "text",
                "\",\"bytes\":", format_int(static_cast<int64_t>(value.size())),
                ",\"sha256\":", json_string(plugin::sha256_hex(value)),
                ",\"start\":", json_string(start), "}");
}

// Those behind kMaxParameters: how many, and one hash of all: from 64 zeros on, for each the SHA-256 of the
// hash so far, t, b or n (NULL), and the SHA-256 of the value.
String further_parameters(const QueryContext& context) {
  const uint32_t count = context.parameter_count();
  if (count <= kMaxParameters) return "null";
  String hash = empty_chain().hash;
  for (uint32_t i = kMaxParameters; i < count; ++i) {
    const Optional<plugin::Parameter> parameter = context.parameter(i);
    const bool has_value = parameter && parameter->value;
    hash = plugin::sha256_hex(concat(hash,
                                     !has_value             ? "n"
                                     : parameter->is_binary ? "b"
                                                            : "t",
                                     has_value ? plugin::sha256_hex(*parameter->value) : String()));
  }
  return concat("{\"count\":", format_int(count - kMaxParameters),
                ",\"sha256\":", json_string(hash), "}");
}

String parameter_fields(const QueryContext& context) {
  String list = ",\"parameters\":[";
  size_t left = kMaxParameterBytes;
  for (uint32_t i = 0; i < context.parameter_count() && i < kMaxParameters; ++i) {
    if (i != 0) list.append(",");
    list.append(parameter_entry(context.parameter(i), left));
  }
  return concat(list, "],\"more_parameters\":", further_parameters(context));
}

String who(const QueryContext& context) {
  const Optional<String> tenant = context.tenant();
  String text = concat(
      name_field("session", context.client_id()), name_field("request", context.request_id()),
      name_field("user", context.user()), name_field("database", context.database()));
  text.append(tenant ? name_field("tenant", *tenant) : String(",\"tenant\":null"));
  return text;
}

String what_came_of_it(const Outcome& outcome) {
  String text = concat(name_field("outcome", outcome_name(outcome.kind)),
                       name_field("tag", outcome.command_tag), ",\"rows\":");
  text.append(outcome.rows ? format_int(*outcome.rows) : String("null"));
  text.append(name_field("sqlstate", outcome.sqlstate));
  return text;
}

}  // namespace

Head empty_chain() {
  Head head;
  for (size_t i = 0; i < kHashDigits; ++i) head.hash.append('0');
  return head;
}

Optional<Head> parse_head(StringView json) {
  const Optional<Json> object = Json::parse(json);
  if (!object) return {};
  const Optional<Json> seq = object->member("seq");
  const Optional<Json> hash = object->member("sha256");
  if (!seq || !hash) return {};
  const Optional<int64_t> number = seq->integer();
  const Optional<String> text = hash->string();
  if (!number || *number < 1 || !text || text->size() != kHashDigits) return {};
  return Head{*number, *text};
}

String format_head(const Head& head) {
  return concat("{\"seq\":", format_int(head.seq), ",\"sha256\":", json_string(head.hash), "}");
}

String record_key(int64_t seq) { return concat("rec:", hex(static_cast<uint64_t>(seq), 16)); }

String format_record(const Head& head, int64_t now_ms, const QueryContext& context,
                     const Outcome& outcome) {
  const String text = context.query();
  String record =
      concat("{\"seq\":", format_int(head.seq + 1), ",\"prev\":", json_string(head.hash),
             ",\"version\":2,\"time_ms\":", format_int(now_ms));
  record.append(who(context));
  record.append(what_came_of_it(outcome));
  record.append(parameter_fields(context));
  const String execute = context.execute_text();
  if (!execute.empty())
    record.append(concat(",\"execute\":", json_string(first_bytes(execute, kMaxExecuteBytes))));
  record.append(concat(",\"text_bytes\":", format_int(static_cast<int64_t>(text.size())),
                       ",\"text_sha256\":", json_string(plugin::sha256_hex(text)),
                       ",\"text\":", json_string(first_bytes(text, kMaxTextBytes)), "}"));
  return record;
}

}  // namespace helios::audit_chain
