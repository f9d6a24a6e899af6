// SPDX-License-Identifier: Apache-2.0

//! The counter of counter.cpp in Rust: counts the statements of each tenant under the tenant's name, and
//! refuses those that say "forbidden".

use helios_plugin::{block, kv_read, kv_write, pre_query, proceed, QueryContext, Verdict};

fn count(context: &QueryContext) -> Verdict {
    if context.query().contains("forbidden") {
        return block("forbidden here", "");
    }
    let tenant = match context.tenant() {
        Some(tenant) => tenant,
        None => return proceed(),
    };
    let text = kv_read(&tenant).unwrap_or_else(|| b"0".to_vec());
    let so_far: i64 = String::from_utf8_lossy(&text).parse().unwrap_or(0);
    if !kv_write(&tenant, (so_far + 1).to_string().as_bytes()) {
        return block("the counter cannot be kept", "");
    }
    proceed()
}
pre_query!(count);
