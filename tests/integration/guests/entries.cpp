// SPDX-License-Identifier: Apache-2.0

// Uses all of the SDK's state from within the proxy, and refuses the statement when something is not as
// it should be. "first" begins; "second", a later call, finds what it left.

#include "helios/plugin.hpp"

namespace {

using namespace helios::plugin;

int step = 0;

bool is(bool holds) {
  ++step;
  return holds;
}

bool first() {
  step = 0;
  return is(kv_create("once", "a", 3600000) == Written::done) &&
         is(kv_create("once", "b") == Written::unmet) &&
         is(kv_read_entry("once")->version == HELIOS_VERSION_OWN) &&
         is(kv_read_entry("once")->ttl_left_ms.value_or(0) == 3600000) &&
         is(kv_replace("none", "x") == Written::unmet) &&
         is(kv_write_for("short", "x", 1) == Written::done) &&
         is(kv_write_for("", "x", 1) == Written::refused) &&
         is(kv_write_if("cas", HELIOS_VERSION_ABSENT, "1") == Written::done) &&
         is(kv_take("bucket", {3, 1, 3600000}, 2)->remaining == 1) &&
         is(!kv_take("bucket", {3, 1, 3600000}, 2)->allowed) &&
         is(kv_take("bucket", {3, 1, 3600000}, 4)->retry_after_ns == -1) &&
         is(!kv_take("bucket", {3, 0, 1}, 1).has_value()) &&
         is(*kv_draw("bucket", {3, 1, 3600000})) && is(!*kv_draw("bucket", {3, 1, 3600000})) &&
         is(*kv_charge("spent", 3, 5, 3600000)) && is(!*kv_charge("spent", 3, 5)) &&
         is(stream_append("trail", "first")) && is(!stream_append("no/name", "x"));
}

bool second() {
  step = 100;
  const Optional<Entry> entry = kv_read_entry("cas");
  if (!is(entry.has_value()) || !is(entry->value == "1") || !is(!entry->ttl_left_ms)) return false;
  String keys;
  uint32_t bytes = 0;
  kv_each("", [&](StringView key, uint32_t size) {
    keys = concat(keys, key, " ");
    bytes += size;
    return true;
  });
  return is(keys == "bucket cas once spent ") && is(bytes == 18) &&
         is(kv_write_if("cas", entry->version + 1000, "2") == Written::unmet) &&
         is(kv_write_if("cas", entry->version, "2") == Written::done) &&
         is(kv_remove_if("cas", entry->version) == Written::unmet) &&
         is(kv_remove_if("cas", HELIOS_VERSION_OWN) == Written::done) &&
         is(kv_replace("once", "c") == Written::done) &&
         is(kv_read_entry("once")->ttl_left_ms.value_or(0) > 0) &&
         is(!*kv_draw("bucket", {3, 1, 3600000})) && is(*kv_draw("bucket", {3, 1, 3600000}, -1)) &&
         is(kv_take("bucket", {3, 1, 3600000})->allowed) && is(*kv_charge("spent", -3, 0)) &&
         is(kv_increment("spent", 0).value_or(1) == 0);
}

Verdict check(const QueryContext& context) {
  const String text = context.query();
  if (text == "SELECT 'first'" && !first()) return block(concat("step ", format_int(step)));
  if (text == "SELECT 'second'" && !second()) return block(concat("step ", format_int(step)));
  return proceed();
}

}  // namespace

static Verdict judge(const WriteContext& write) {
  if (!(write.key() == "refused")) return proceed();
  if (kv_write("key", "value") || kv_increment("counter")) fail();  // it only judges
  return block(concat("not ", write.value()));
}

HELIOS_PRE_QUERY(check)
HELIOS_CHECK_WRITE(judge)
