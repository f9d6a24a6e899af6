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
// Escaping makes six bytes of one at worst, and a value of the store has at most 64 KiB.
constexpr size_t kMaxTextBytes = 7168;
constexpr size_t kMaxParameterBytes = 2048;  // all of them together
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
  }
  return "";
}

// A value in binary format as \x and hex digits, as PostgreSQL writes a bytea.
String readable(const plugin::Parameter& parameter) {
  if (!parameter.is_binary) return *parameter.value;
  String text = "\\x";
  for (const char byte : parameter.value->view())
    text.append(hex(static_cast<unsigned char>(byte), 2));
  return text;
}

String parameter_list(const QueryContext& context) {
  String list = "[";
  size_t left = kMaxParameterBytes;
  for (uint32_t i = 0; i < context.parameter_count(); ++i) {
    const Optional<plugin::Parameter> parameter = context.parameter(i);
    if (i != 0) list.append(",");
    if (!parameter || !parameter->value) {
      if (left < 4) break;
      left -= 4;
      list.append("null");
      continue;
    }
    const String whole = readable(*parameter);
    const StringView shown = first_bytes(whole, left);
    list.append(json_string(shown));
    left -= shown.size();
    if (left == 0 || shown.size() != whole.size()) break;
  }
  list.append("]");
  return list;
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
  String record = concat("{\"seq\":", format_int(head.seq + 1),
                         ",\"prev\":", json_string(head.hash), ",\"time_ms\":", format_int(now_ms));
  record.append(who(context));
  record.append(what_came_of_it(outcome));
  record.append(concat(",\"parameters\":", parameter_list(context)));
  record.append(concat(",\"text_bytes\":", format_int(static_cast<int64_t>(text.size())),
                       ",\"text_sha256\":", json_string(plugin::sha256_hex(text)),
                       ",\"text\":", json_string(first_bytes(text, kMaxTextBytes)), "}"));
  return record;
}

}  // namespace helios::audit_chain
