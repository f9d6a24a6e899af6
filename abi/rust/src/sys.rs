// SPDX-License-Identifier: Apache-2.0

//! The imports and their numbers, as `abi/helios_abi2.h` has them and describes them.

pub const ABI_VERSION: i32 = 2;
pub const MISSING: i32 = -1;
pub const TOO_SMALL: i32 = -2;
pub const UNMET: i32 = -3;

pub const KV_IF_ABSENT: u32 = 1;
pub const KV_IF_PRESENT: u32 = 2;
pub const KV_KEEP_TTL: u32 = 4;
pub const KV_DELETE: u32 = 8;
pub const VERSION_ABSENT: u64 = 0;
pub const VERSION_OWN: u64 = u64::MAX;

#[repr(C)]
#[derive(Default)]
pub struct Meta {
    pub version: u64,
    pub size: u32,
    pub reserved: u32,
    pub ttl_left_ms: i64,
}

#[repr(C)]
#[derive(Default)]
pub struct Bucket {
    pub remaining: i64,
    pub retry_after_ns: i64,
    pub reset_after_ns: i64,
}

pub const TEXT: u32 = 1;
pub const ORIGINAL_TEXT: u32 = 2;
pub const USER: u32 = 3;
pub const DATABASE: u32 = 4;
pub const SESSION_ID: u32 = 6;
pub const TENANT: u32 = 7;
pub const REQUEST_ID: u32 = 8;
pub const COMMAND_TAG: u32 = 9;
pub const SQLSTATE: u32 = 10;
pub const ERROR_MESSAGE: u32 = 11;
pub const EXECUTE_TEXT: u32 = 12;
pub const REDACTED_TEXT: u32 = 13;
pub const REDACTED_EXECUTE_TEXT: u32 = 14;
pub const REDACTED_ERROR_MESSAGE: u32 = 15;
pub const WRITE_KEY: u32 = 16;
pub const WRITE_VALUE: u32 = 17;
pub const EVENT_KIND: u32 = 18;
pub const EVENT_DETAIL: u32 = 19;

pub const IS_READ_ONLY: u32 = 102;
pub const PARAMETER_COUNT: u32 = 104;
pub const OUTCOME: u32 = 105;
pub const ROWS: u32 = 106;
pub const RESPONSE_BYTES: u32 = 107;
pub const DURATION_NS: u32 = 108;
pub const SETTLEMENT: u32 = 109;
pub const FINGERPRINT: u32 = 110;
pub const IS_REDACTED: u32 = 111;
pub const REWRITES: u32 = 112;
pub const MANAGES_SESSION: u32 = 113;

#[link(wasm_import_module = "env")]
extern "C" {
    pub fn field(field: u32, out: *mut u8, out_max: u32) -> i32;
    pub fn field_part(field: u32, from: u32, out: *mut u8, out_max: u32) -> i32;
    pub fn field_sha256_hex(field: u32, out: *mut u8) -> i32;
    pub fn field_number(field: u32, out: *mut i64) -> i32;
    pub fn attribute(name: *const u8, name_len: u32, out: *mut u8, out_max: u32) -> i32;
    pub fn parameter_kind(index: u32, out: *mut [u32; 3]) -> i32;
    pub fn parameter(index: u32, out: *mut u8, out_max: u32) -> i32;
    pub fn parameter_part(index: u32, from: u32, out: *mut u8, out_max: u32) -> i32;
    pub fn parameter_hmac_hex(index: u32, out: *mut u8) -> i32;
    pub fn parameter_sha256_hex(index: u32, out: *mut u8) -> i32;
    pub fn scratch_set(bytes: *const u8, length: u32) -> i32;
    pub fn scratch_get(out: *mut u8, out_max: u32) -> i32;
    pub fn skip_settled() -> i32;
    pub fn block(reason: *const u8, reason_len: u32, state: *const u8, state_len: u32) -> i32;
    pub fn explain(part: u32, text: *const u8, text_len: u32) -> i32;
    pub fn limit_rows(most: i64) -> i32;
    pub fn limit_bytes(most: i64) -> i32;
    pub fn rewrite(sql: *const u8, sql_len: u32) -> i32;
    pub fn answer_begin() -> i32;
    pub fn answer_column(name: *const u8, name_len: u32, type_oid: u32) -> i32;
    pub fn answer_value(value: *const u8, value_len: u32) -> i32;
    pub fn answer_null() -> i32;
    pub fn kv_get(key: *const u8, key_len: u32, out: *mut u8, out_max: u32) -> i32;
    pub fn kv_set(key: *const u8, key_len: u32, value: *const u8, value_len: u32) -> i32;
    pub fn kv_delete(key: *const u8, key_len: u32) -> i32;
    pub fn kv_incr(
        key: *const u8,
        key_len: u32,
        delta: i64,
        limit: i64,
        ttl_ms: i64,
        out: *mut i64,
    ) -> i32;
    pub fn kv_set_ex(
        key: *const u8,
        key_len: u32,
        value: *const u8,
        value_len: u32,
        ttl_ms: i64,
        flags: u32,
    ) -> i32;
    pub fn kv_get_ex(
        key: *const u8,
        key_len: u32,
        out: *mut u8,
        out_max: u32,
        meta: *mut Meta,
    ) -> i32;
    pub fn kv_cas(
        key: *const u8,
        key_len: u32,
        version: u64,
        value: *const u8,
        value_len: u32,
        ttl_ms: i64,
        flags: u32,
        version_out: *mut u64,
    ) -> i32;
    pub fn kv_take(
        key: *const u8,
        key_len: u32,
        cost: i64,
        burst: i64,
        tokens: i64,
        period_ns: i64,
        bucket: *mut Bucket,
    ) -> i32;
    pub fn kv_charge(key: *const u8, key_len: u32, amount: i64, limit: i64, ttl_ms: i64) -> i32;
    pub fn kv_draw(
        key: *const u8,
        key_len: u32,
        cost: i64,
        burst: i64,
        tokens: i64,
        period_ns: i64,
    ) -> i32;
    pub fn kv_scan(
        prefix: *const u8,
        prefix_len: u32,
        after: *const u8,
        after_len: u32,
        out: *mut u8,
        out_max: u32,
    ) -> i32;
    pub fn stream_append(
        stream: *const u8,
        stream_len: u32,
        record: *const u8,
        record_len: u32,
    ) -> i32;
    pub fn sha256_hex(input: *const u8, input_len: u32, out: *mut u8) -> i32;
    pub fn time_now_ms() -> i64;
    pub fn log(level: u32, line: *const u8, line_len: u32) -> i32;
    pub fn metric_add(name: *const u8, name_len: u32, amount: i64) -> i32;
}
