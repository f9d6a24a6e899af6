// SPDX-License-Identifier: Apache-2.0

//! Write a plugin in Rust:
//!
//! ```ignore
//! use helios_plugin::{kv_increment, pre_query, proceed, QueryContext, Verdict};
//!
//! fn count(context: &QueryContext) -> Verdict {
//!     if let Some(tenant) = context.tenant() {
//!         kv_increment(&tenant, 1);
//!     }
//!     proceed()
//! }
//! pre_query!(count);
//! ```
//!
//! No crate but this one, no WASI: target wasm32-unknown-unknown, any Rust from 1.63 on.
//! `docs/writing-plugins.md` is the guide, `abi/helios_abi2.h` what is underneath.
//!
//! Everything that one hook call reads and writes is one transaction. A panic ends the call: nothing
//! that it did happens, and the manifest's `on_error` decides about the statement.

/// The imports and their numbers, as `helios_abi2.h` has them.
pub mod sys {
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

    pub const IS_READ_ONLY: u32 = 102;
    pub const PARAMETER_COUNT: u32 = 104;
    pub const OUTCOME: u32 = 105;
    pub const ROWS: u32 = 106;
    pub const RESPONSE_BYTES: u32 = 107;
    pub const DURATION_NS: u32 = 108;
    pub const SETTLEMENT: u32 = 109;

    #[link(wasm_import_module = "env")]
    extern "C" {
        pub fn field(field: u32, out: *mut u8, out_max: u32) -> i32;
        pub fn field_number(field: u32, out: *mut i64) -> i32;
        pub fn attribute(name: *const u8, name_len: u32, out: *mut u8, out_max: u32) -> i32;
        pub fn parameter_kind(index: u32, out: *mut [u32; 3]) -> i32;
        pub fn parameter(index: u32, out: *mut u8, out_max: u32) -> i32;
        pub fn scratch_set(bytes: *const u8, length: u32) -> i32;
        pub fn scratch_get(out: *mut u8, out_max: u32) -> i32;
        pub fn block(reason: *const u8, reason_len: u32, state: *const u8, state_len: u32) -> i32;
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
        pub fn kv_scan(
            prefix: *const u8,
            prefix_len: u32,
            after: *const u8,
            after_len: u32,
            out: *mut u8,
            out_max: u32,
        ) -> i32;
        pub fn sha256_hex(input: *const u8, input_len: u32, out: *mut u8) -> i32;
        pub fn time_now_ms() -> i64;
        pub fn log(level: u32, line: *const u8, line_len: u32) -> i32;
        pub fn metric_add(name: *const u8, name_len: u32, amount: i64) -> i32;
    }
}

/// What `read(out, out_max)` gives, in a buffer that grows until it fits.
fn read_bytes(mut read: impl FnMut(*mut u8, u32) -> i32) -> Option<Vec<u8>> {
    let mut room: usize = 512;
    loop {
        let mut bytes = Vec::with_capacity(room);
        let length = read(bytes.as_mut_ptr(), room as u32);
        if length >= 0 {
            // The host wrote so many bytes, and no more than there is room for.
            unsafe { bytes.set_len(length as usize) };
            return Some(bytes);
        }
        if length != sys::TOO_SMALL || room > 64 << 20 {
            return None;
        }
        room *= 8;
    }
}

fn bytes_field(field: u32) -> Option<Vec<u8>> {
    read_bytes(|out, max| unsafe { sys::field(field, out, max) })
}

fn number_field(field: u32) -> Option<i64> {
    let mut value = 0;
    (unsafe { sys::field_number(field, &mut value) } == 0).then(|| value)
}

fn text_field(field: u32) -> String {
    String::from_utf8_lossy(&bytes_field(field).unwrap_or_default()).into_owned()
}

/// A value that a client bound to $1, $2, ...
pub struct Parameter {
    /// As Parse declared it; 0: left to the server.
    pub type_oid: u32,
    pub is_binary: bool,
    /// `None`: NULL.
    pub value: Option<Vec<u8>>,
}

/// The statement and who runs it.
pub struct QueryContext(());

impl QueryContext {
    /// The statement as it will run; empty in `settled`, and of a function call.
    pub fn query(&self) -> String {
        text_field(sys::TEXT)
    }
    /// As the client sent it, before plugins rewrote it.
    pub fn original_query(&self) -> String {
        text_field(sys::ORIGINAL_TEXT)
    }
    pub fn is_read_only(&self) -> bool {
        number_field(sys::IS_READ_ONLY) == Some(1)
    }
    pub fn user(&self) -> String {
        text_field(sys::USER)
    }
    pub fn database(&self) -> String {
        text_field(sys::DATABASE)
    }
    /// The tenant in force, as bytes: it need not be UTF-8.
    pub fn tenant(&self) -> Option<Vec<u8>> {
        bytes_field(sys::TENANT)
    }
    /// One per statement execution: the same in all of its hooks.
    pub fn request_id(&self) -> String {
        text_field(sys::REQUEST_ID)
    }
    /// One per client session.
    pub fn client_id(&self) -> String {
        text_field(sys::SESSION_ID)
    }
    /// "application_name", "client_ip", every helios.* setting, "config.<key>", ...
    pub fn attribute(&self, name: &str) -> Option<Vec<u8>> {
        read_bytes(|out, max| unsafe {
            sys::attribute(name.as_ptr(), name.len() as u32, out, max)
        })
    }
    pub fn parameter_count(&self) -> u32 {
        number_field(sys::PARAMETER_COUNT).unwrap_or(0) as u32
    }
    /// `None`: there are not so many. The first is 0.
    pub fn parameter(&self, index: u32) -> Option<Parameter> {
        let mut kind = [0; 3];
        if unsafe { sys::parameter_kind(index, &mut kind) } != 0 {
            return None;
        }
        let value = read_bytes(|out, max| unsafe { sys::parameter(index, out, max) });
        Some(Parameter { type_oid: kind[0], is_binary: kind[1] == 1, value })
    }
    /// Notes of `pre_query` for the later hooks of the same statement: up to 256 bytes.
    pub fn keep(&self, notes: &[u8]) {
        assert_eq!(unsafe { sys::scratch_set(notes.as_ptr(), notes.len() as u32) }, 0);
    }
    pub fn kept(&self) -> Vec<u8> {
        read_bytes(|out, max| unsafe { sys::scratch_get(out, max) }).unwrap_or_default()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutcomeKind {
    Executed,
    Answered,
    Failed,
    Refused,
    Skipped,
    Lost,
}

/// How a statement ended.
pub struct Outcome {
    pub kind: OutcomeKind,
    pub duration_ns: i64,
    pub response_bytes: i64,
    pub rows: Option<i64>,
    pub command_tag: String,
    /// Of the error that ended it; empty: none.
    pub sqlstate: String,
    pub error: String,
}

impl Outcome {
    /// True when the server worked on it.
    pub fn ran(&self) -> bool {
        matches!(self.kind, OutcomeKind::Executed | OutcomeKind::Failed)
    }

    fn present() -> Outcome {
        let kind = match number_field(sys::OUTCOME) {
            Some(0) => OutcomeKind::Executed,
            Some(1) => OutcomeKind::Answered,
            Some(2) => OutcomeKind::Failed,
            Some(3) => OutcomeKind::Refused,
            Some(4) => OutcomeKind::Skipped,
            _ => OutcomeKind::Lost,
        };
        Outcome {
            kind,
            duration_ns: number_field(sys::DURATION_NS).unwrap_or(0),
            response_bytes: number_field(sys::RESPONSE_BYTES).unwrap_or(0),
            rows: number_field(sys::ROWS),
            command_tag: text_field(sys::COMMAND_TAG),
            sqlstate: text_field(sys::SQLSTATE),
            error: text_field(sys::ERROR_MESSAGE),
        }
    }
}

/// What became of the transaction that a statement ran in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    Committed,
    RolledBack,
    Unknown,
}

/// What `pre_query` answers; made by the functions below.
pub enum Verdict {
    Proceed,
    Block { reason: String, sqlstate: String },
    Rewrite(String),
    /// The rows were told to the host: see `Answer`.
    Answered,
}

/// Let the statement run.
pub fn proceed() -> Verdict {
    Verdict::Proceed
}

/// Refuse it, and the message that it came in. An empty SQLSTATE is the default, 42000.
pub fn block(reason: impl Into<String>, sqlstate: impl Into<String>) -> Verdict {
    Verdict::Block { reason: reason.into(), sqlstate: sqlstate.into() }
}

/// Run this text instead: one statement.
pub fn rewrite(sql: impl Into<String>) -> Verdict {
    Verdict::Rewrite(sql.into())
}

/// Answer with rows: columns first, then values, row by row, then `done()`.
pub struct Answer(());

impl Answer {
    pub fn begin() -> Answer {
        assert_eq!(unsafe { sys::answer_begin() }, 0);
        Answer(())
    }
    pub fn column(&mut self, name: &str, type_oid: u32) -> &mut Answer {
        let code = unsafe { sys::answer_column(name.as_ptr(), name.len() as u32, type_oid) };
        assert_eq!(code, 0);
        self
    }
    pub fn value(&mut self, text: &[u8]) -> &mut Answer {
        assert_eq!(unsafe { sys::answer_value(text.as_ptr(), text.len() as u32) }, 0);
        self
    }
    pub fn null(&mut self) -> &mut Answer {
        assert_eq!(unsafe { sys::answer_null() }, 0);
        self
    }
    pub fn done(self) -> Verdict {
        Verdict::Answered
    }
}

/// The value of a key, however large it is.
pub fn kv_read(key: &[u8]) -> Option<Vec<u8>> {
    read_bytes(|out, max| unsafe { sys::kv_get(key.as_ptr(), key.len() as u32, out, max) })
}

/// Sets a key. False: the host refused it, and the old value is still there.
#[must_use]
pub fn kv_write(key: &[u8], value: &[u8]) -> bool {
    let (key_len, value_len) = (key.len() as u32, value.len() as u32);
    unsafe { sys::kv_set(key.as_ptr(), key_len, value.as_ptr(), value_len) == 0 }
}

/// Deletes a key, whether it is there or not.
pub fn kv_remove(key: &[u8]) {
    unsafe { sys::kv_delete(key.as_ptr(), key.len() as u32) };
}

/// Adds to a counter of 8 bytes, which begins at 0. `None`: the host refused it.
#[must_use]
pub fn kv_increment(key: &[u8], delta: i64) -> Option<i64> {
    let mut sum = 0;
    let limit = if delta < 0 { i64::MIN } else { i64::MAX };
    let code =
        unsafe { sys::kv_incr(key.as_ptr(), key.len() as u32, delta, limit, 0, &mut sum) };
    (code == 0).then(|| sum)
}

/// How a write with a condition was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    Done,
    /// The condition did not hold; nothing was changed.
    Unmet,
    /// By the host: the value is too large, the namespace is full, or the key cannot be one.
    Refused,
}

fn written(code: i32) -> Written {
    match code {
        0 => Written::Done,
        sys::UNMET => Written::Unmet,
        _ => Written::Refused,
    }
}

fn set_ex(key: &[u8], value: &[u8], ttl_ms: i64, flags: u32) -> Written {
    let (key_len, value_len) = (key.len() as u32, value.len() as u32);
    written(unsafe {
        sys::kv_set_ex(key.as_ptr(), key_len, value.as_ptr(), value_len, ttl_ms, flags)
    })
}

fn cas(key: &[u8], version: u64, value: &[u8], ttl_ms: i64, flags: u32) -> Written {
    let (key_len, value_len) = (key.len() as u32, value.len() as u32);
    let mut present = 0;
    written(unsafe {
        let (key, value) = (key.as_ptr(), value.as_ptr());
        sys::kv_cas(key, key_len, version, value, value_len, ttl_ms, flags, &mut present)
    })
}

/// Sets a key that is gone `ttl_ms` milliseconds later.
#[must_use]
pub fn kv_write_for(key: &[u8], value: &[u8], ttl_ms: i64) -> Written {
    set_ex(key, value, ttl_ms, 0)
}

/// Sets a key only if it is not there: of any number of calls, one is done. A `ttl_ms` of 0 is for ever.
#[must_use]
pub fn kv_create(key: &[u8], value: &[u8], ttl_ms: i64) -> Written {
    set_ex(key, value, ttl_ms, sys::KV_IF_ABSENT)
}

/// Sets a key only if it is there, without changing when it expires.
#[must_use]
pub fn kv_replace(key: &[u8], value: &[u8]) -> Written {
    set_ex(key, value, 0, sys::KV_IF_PRESENT | sys::KV_KEEP_TTL)
}

/// A value with what belongs to it.
pub struct Entry {
    pub value: Vec<u8>,
    /// `sys::VERSION_OWN`: this hook call wrote it.
    pub version: u64,
    /// `None`: it never expires.
    pub ttl_left_ms: Option<i64>,
}

pub fn kv_read_entry(key: &[u8]) -> Option<Entry> {
    let mut meta = sys::Meta::default();
    let value = read_bytes(|out, max| unsafe {
        sys::kv_get_ex(key.as_ptr(), key.len() as u32, out, max, &mut meta)
    })?;
    let ttl_left_ms = (meta.ttl_left_ms >= 0).then(|| meta.ttl_left_ms);
    Some(Entry { value, version: meta.version, ttl_left_ms })
}

/// Sets a key if it still has the version that was read, in this call or an earlier one;
/// `sys::VERSION_ABSENT`: if it is not there.
#[must_use]
pub fn kv_write_if(key: &[u8], version: u64, value: &[u8], ttl_ms: i64) -> Written {
    cas(key, version, value, ttl_ms, 0)
}

/// Deletes a key if it still has the version that was read.
#[must_use]
pub fn kv_remove_if(key: &[u8], version: u64) -> Written {
    cas(key, version, &[], 0, sys::KV_DELETE)
}

/// A token bucket: it holds `burst` tokens and gets `tokens` back in `period_ms`.
#[derive(Clone, Copy)]
pub struct Rate {
    pub burst: i64,
    pub tokens: i64,
    pub period_ms: i64,
}

pub struct Taken {
    pub allowed: bool,
    /// Whole tokens that are left.
    pub remaining: i64,
    /// When not allowed: how long until it would be; -1: never.
    pub retry_after_ns: i64,
    pub reset_after_ns: i64,
}

/// Takes `cost` tokens from the bucket under a key, all or none. A cost of 0 only looks, a negative one gives
/// back. `None`: the host refused it.
#[must_use]
pub fn kv_take(key: &[u8], rate: Rate, cost: i64) -> Option<Taken> {
    let period_ns = rate.period_ms.checked_mul(1_000_000)?;
    let mut bucket = sys::Bucket::default();
    let code = unsafe {
        let (key, key_len) = (key.as_ptr(), key.len() as u32);
        sys::kv_take(key, key_len, cost, rate.burst, rate.tokens, period_ns, &mut bucket)
    };
    (code >= 0).then(|| Taken {
        allowed: code == 1,
        remaining: bucket.remaining,
        retry_after_ns: bucket.retry_after_ns,
        reset_after_ns: bucket.reset_after_ns,
    })
}

/// Keys that begin with `prefix` and are greater than `after` (empty: from the first), in order, and the
/// lengths of their values: a page of them, empty at the end. When keys come or go before the hook call
/// ends, it runs again.
pub fn kv_keys(prefix: &[u8], after: &[u8]) -> Vec<(Vec<u8>, u32)> {
    let page = read_bytes(|out, max| unsafe {
        let (prefix, prefix_len) = (prefix.as_ptr(), prefix.len() as u32);
        sys::kv_scan(prefix, prefix_len, after.as_ptr(), after.len() as u32, out, max)
    })
    .expect("a scan gives a page");
    let number = |at: usize| {
        u32::from_le_bytes([page[at], page[at + 1], page[at + 2], page[at + 3]])
    };
    let mut keys = Vec::new();
    let mut at = 0;
    while at < page.len() {
        let end = at + 8 + number(at) as usize;
        keys.push((page[at + 8..end].to_vec(), number(at + 4)));
        at = end;
    }
    keys
}

/// The SHA-256 of some bytes as 64 lower-case hexadecimal digits.
pub fn sha256_hex(input: &[u8]) -> String {
    let mut digest = [0; 64];
    unsafe { sys::sha256_hex(input.as_ptr(), input.len() as u32, digest.as_mut_ptr()) };
    String::from_utf8_lossy(&digest).into_owned()
}

/// Milliseconds since 1970-01-01 UTC, the same value throughout one hook call.
pub fn now_ms() -> i64 {
    unsafe { sys::time_now_ms() }
}

/// A line for the proxy's log, at level info.
pub fn log_info(line: &str) {
    unsafe { sys::log(1, line.as_ptr(), line.len() as u32) };
}

/// Adds to a counter of /metrics.
pub fn metric_add(name: &str, amount: i64) {
    unsafe { sys::metric_add(name.as_ptr(), name.len() as u32, amount) };
}

/// What the macros expand to.
#[doc(hidden)]
pub mod run {
    use super::*;

    pub fn pre_query(hook: fn(&QueryContext) -> Verdict) -> i32 {
        match hook(&QueryContext(())) {
            Verdict::Proceed | Verdict::Answered => 0,
            Verdict::Block { reason, sqlstate } => {
                let (reason, state) = (reason.as_bytes(), sqlstate.as_bytes());
                let (reason_len, state_len) = (reason.len() as u32, state.len() as u32);
                unsafe { sys::block(reason.as_ptr(), reason_len, state.as_ptr(), state_len) };
                0
            }
            Verdict::Rewrite(sql) => unsafe { sys::rewrite(sql.as_ptr(), sql.len() as u32) },
        }
    }

    pub fn post_query(hook: fn(&QueryContext, &Outcome)) -> i32 {
        hook(&QueryContext(()), &Outcome::present());
        0
    }

    pub fn settled(hook: fn(&QueryContext, Settlement)) -> i32 {
        let settlement = match number_field(sys::SETTLEMENT) {
            Some(0) => Settlement::Committed,
            Some(1) => Settlement::RolledBack,
            _ => Settlement::Unknown,
        };
        hook(&QueryContext(()), settlement);
        0
    }
}

#[no_mangle]
pub extern "C" fn helios_abi_version() -> i32 {
    sys::ABI_VERSION
}

/// Makes a function the plugin's `pre_query`.
#[macro_export]
macro_rules! pre_query {
    ($function:path) => {
        #[no_mangle]
        pub extern "C" fn pre_query() -> i32 {
            $crate::run::pre_query($function)
        }
    };
}

/// Makes a function the plugin's `post_query`.
#[macro_export]
macro_rules! post_query {
    ($function:path) => {
        #[no_mangle]
        pub extern "C" fn post_query() -> i32 {
            $crate::run::post_query($function)
        }
    };
}

/// Makes a function the plugin's `settled`.
#[macro_export]
macro_rules! settled {
    ($function:path) => {
        #[no_mangle]
        pub extern "C" fn settled() -> i32 {
            $crate::run::settled($function)
        }
    };
}
