// SPDX-License-Identifier: Apache-2.0

// The audit chain's hook: appends a record for every statement execution, whatever came of it. Record and
// head are written by one transaction, so the chain has no gap and no fork however many sessions append
// at once: whoever read a head that is no longer the newest is run again.

#include "helios/plugin.hpp"

#include "record.hpp"

namespace {

using namespace helios::plugin;
using namespace helios::audit_chain;

constexpr const char* kHeadKey = "head";
// Room for one record of any size, which the namespace holds ready: a record that finds no other takes this one,
// and from then on nothing runs until there is room to have one again.
constexpr const char* kReserveKey = "reserve";
constexpr const char* kNotRecorded = "not recorded";

constexpr const char* kTooLarge = "54000";  // program_limit_exceeded
constexpr const char* kFull = "53100";      // disk_full

// A head that somebody has broken must not begin a second chain.
Head present_head() {
  const Optional<String> stored = kv_read(kHeadKey);
  if (!stored) return empty_chain();
  const Optional<Head> head = parse_head(*stored);
  if (!head) fail();
  return *head;
}

// Bytes that the record hashes.
int64_t bytes_to_read(const QueryContext& context) {
  int64_t bytes = 0;
  static constexpr uint32_t kTexts[] = {HELIOS_TEXT, HELIOS_EXECUTE_TEXT};
  for (const uint32_t field : kTexts) {
    const int32_t length = helios_field_length(field);
    if (length > 0) bytes += length;
  }
  for (uint32_t i = 0; i < context.parameter_count(); ++i) {
    helios_parameter_kind kind;
    if (helios_get_parameter_kind(i, &kind) == HELIOS_OK && kind.length > 0) bytes += kind.length;
  }
  return bytes;
}

bool has_reserve() {
  helios_kv_meta meta;
  const StringView key = kReserveKey;
  if (helios_kv_get_ex(key.data(), static_cast<uint32_t>(key.size()), nullptr, 0, &meta) !=
      HELIOS_MISSING)
    return true;
  String room;
  room.reserve(kMaxRecordBytes);
  for (size_t i = 0; i < kMaxRecordBytes; ++i) room.append(' ');
  return kv_write(key, room);
}

// What could not be recorded does not run. The refusal itself leaves no record then.
Verdict check_room(const QueryContext& context) {
  const int64_t bytes = bytes_to_read(context);
  if (bytes > kMaxReadBytes) {
    context.keep(kNotRecorded);
    metric_add("not_recorded");
    return block(concat("audit-chain: the statement and its parameters have ", format_int(bytes),
                        " bytes, of which it can record ", format_int(kMaxReadBytes)),
                 kTooLarge);
  }
  if (!has_reserve()) {
    context.keep(kNotRecorded);
    metric_add("not_recorded");
    return block("audit-chain: there is no room for another record in its namespace", kFull);
  }
  // The memory that the record will take: where there is none, it has to be found out now.
  String memory;
  memory.reserve(static_cast<size_t>(bytes) + 4 * kMaxRecordBytes);
  return proceed();
}

bool keep_record(const Head& next, const String& record) {
  return kv_write(record_key(next.seq), record) && kv_write(kHeadKey, format_head(next));
}

void append_record(const QueryContext& context, const Outcome& outcome) {
  if (context.kept() == kNotRecorded) return;
  const Head head = present_head();
  const String record = format_record(head, now_ms(), context, outcome);
  const Head next{head.seq + 1, sha256_hex(record)};
  // What cannot be recorded must not be answered: on_error = "deny" ends the session.
  if (keep_record(next, record)) return;
  kv_remove(kReserveKey);
  if (!keep_record(next, record)) fail();
}

}  // namespace

HELIOS_PRE_QUERY(check_room)
HELIOS_POST_QUERY(append_record)
