// SPDX-License-Identifier: Apache-2.0

//! What else the host does for a plugin: hashes, the time, lines of the log, metrics.

use crate::sys;

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

/// A line for the proxy's log, at level warning.
pub fn log_warning(line: &str) {
    unsafe { sys::log(2, line.as_ptr(), line.len() as u32) };
}

/// Adds to a counter of /metrics.
pub fn metric_add(name: &str, amount: i64) {
    unsafe { sys::metric_add(name.as_ptr(), name.len() as u32, amount) };
}
