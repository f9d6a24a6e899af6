// SPDX-License-Identifier: Apache-2.0

//! The keys of the plugin. Everything that one hook call reads and writes is one transaction.

use crate::fields::read_bytes;
use crate::sys;

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

/// The same, when only yes or no matters: calls that draw from one bucket at once do not run again because of it.
#[must_use]
pub fn kv_draw(key: &[u8], rate: Rate, cost: i64) -> Option<bool> {
    let period_ns = rate.period_ms.checked_mul(1_000_000)?;
    let code = unsafe {
        let (key, key_len) = (key.as_ptr(), key.len() as u32);
        sys::kv_draw(key, key_len, cost, rate.burst, rate.tokens, period_ns)
    };
    (code >= 0).then(|| code == 1)
}

/// Adds to a counter of 8 bytes if the sum stays within `limit` (at most that; with a negative amount at least
/// that), and says whether it did; 0 only asks. A counter that this makes is gone `ttl_ms` milliseconds later,
/// 0: never. Calls that only charge a key at once do not run again because of it; one that reads it too does.
/// `None`: the host refused it.
#[must_use]
pub fn kv_charge(key: &[u8], amount: i64, limit: i64, ttl_ms: i64) -> Option<bool> {
    let code = unsafe { sys::kv_charge(key.as_ptr(), key.len() as u32, amount, limit, ttl_ms) };
    (code >= 0).then(|| code == 1)
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

/// Appends a record to a stream of the namespace: numbered, chained, and on disk. False: the host refused it
/// (the record is too large, there is no room, or the name is none), and nothing was appended.
#[must_use]
pub fn stream_append(stream: &str, record: &[u8]) -> bool {
    let (stream_len, record_len) = (stream.len() as u32, record.len() as u32);
    unsafe { sys::stream_append(stream.as_ptr(), stream_len, record.as_ptr(), record_len) == 0 }
}
