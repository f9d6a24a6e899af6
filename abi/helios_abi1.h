/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * ABI 1 in plain C: what the proxy offers a guest, and what a guest offers the proxy. This file is
 * the contract; helios/plugin.hpp is the comfortable way to use it from C++. It never changes: a
 * plugin that was built against it runs for ever.
 *
 * What the host offers: functions of the import module "env", below. Keys and values are bytes, not
 * text. Every call reads and writes the plugin's own namespace, and all calls of one hook call are
 * one transaction: a hook that read something which others changed meanwhile is run again from its
 * beginning on a clean instance, and its writes become visible together when it returns, or never.
 *
 * What the guest exports:
 *
 *   memory                       its linear memory (wasm-ld exports it without being asked)
 *   alloc(size: i32) -> i32      room for the input of a hook; the host writes it there
 *   dealloc(ptr: i32, size: i32) called for the output of a hook, then for its input
 *   pre_query(ptr: i32, len: i32) -> i64    before a statement runs
 *   post_query(ptr: i32, len: i32) -> i64   after it ran, failed, or was refused
 *
 * A plugin exports the hooks it wants. Hooks take JSON and answer the place of their JSON answer,
 * packed as (ptr << 32) | len; a length of 0 is "no answer".
 *
 *   pre_query's input  {"query": text, "is_read_only": bool, ...,
 *                       "hook_context": {"request_id", "client_id", "identity", "database",
 *                                        "attributes": {"tenant_id": "acme", ...}}}
 *   pre_query's answer {"action": "continue"}, also when there is no answer;
 *                      {"action": "block", "value": reason}, optionally with "sqlstate";
 *                      {"action": "rewrite", "value": sql}
 *   post_query's input [the object above, {"success": bool, "elapsed_us": n, "response_bytes": n,
 *                       "error": text or null, ...}]; its answer is ignored
 *
 * docs/writing-plugins.md has every field.
 */

#include <stdint.h>

#ifdef __wasm__
#define HELIOS_ABI1_IMPORT(name) __attribute__((import_module("env"), import_name(name)))
#define HELIOS_ABI1_EXPORT(name) __attribute__((export_name(name), used, visibility("default")))
#else
/* A native build, for tests: helios/fake_host.hpp defines the imports. */
#define HELIOS_ABI1_IMPORT(name)
#define HELIOS_ABI1_EXPORT(name)
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum {
  HELIOS_KV_MISSING = -1,   /* kv_get: no such key */
  HELIOS_KV_TOO_SMALL = -2, /* kv_get: the value does not fit; nothing was written */
  HELIOS_KV_REFUSED = -1    /* kv_set: bad key, value too large, or the namespace is full */
};

/* Copies the value of a key to `out`. Returns its length (0 is an empty value, not a missing one),
 * HELIOS_KV_MISSING or HELIOS_KV_TOO_SMALL. The length of a value that does not fit is not told. */
HELIOS_ABI1_IMPORT("kv_get")
int32_t helios_kv_get(const char* key, uint32_t key_len, char* out, uint32_t out_max);

/* Sets a key. Returns 0 or HELIOS_KV_REFUSED. */
HELIOS_ABI1_IMPORT("kv_set")
int32_t helios_kv_set(const char* key, uint32_t key_len, const char* value, uint32_t value_len);

/* Deletes a key. Returns 0, also when there was none. */
HELIOS_ABI1_IMPORT("kv_delete")
int32_t helios_kv_delete(const char* key, uint32_t key_len);

/* Writes the SHA-256 of the input to `out` as 64 lower-case hexadecimal digits; returns 64. */
HELIOS_ABI1_IMPORT("sha256_hex")
int32_t helios_sha256_hex(const char* input, uint32_t input_len, char* out);

/* Milliseconds since 1970-01-01 UTC. One hook call sees one value, however often it asks. */
HELIOS_ABI1_IMPORT("time_now_ms")
int64_t helios_time_now_ms(void);

#ifdef __cplusplus
}
#endif
