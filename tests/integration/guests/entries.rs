// SPDX-License-Identifier: Apache-2.0

//! The checks of entries.cpp in Rust. A check that does not hold panics, which fails the statement.

use helios_plugin::*;

const RATE: Rate = Rate { burst: 3, tokens: 1, period_ms: 3_600_000 };

fn first() {
    assert_eq!(kv_create(b"once", b"a", 3_600_000), Written::Done);
    assert_eq!(kv_create(b"once", b"b", 0), Written::Unmet);
    let entry = kv_read_entry(b"once").unwrap();
    assert_eq!(entry.version, sys::VERSION_OWN);
    assert_eq!(entry.ttl_left_ms, Some(3_600_000));
    assert_eq!(kv_replace(b"none", b"x"), Written::Unmet);
    assert_eq!(kv_write_for(b"short", b"x", 1), Written::Done);
    assert_eq!(kv_write_for(b"", b"x", 1), Written::Refused);
    assert_eq!(kv_write_if(b"cas", sys::VERSION_ABSENT, b"1", 0), Written::Done);
    assert_eq!(kv_take(b"bucket", RATE, 2).unwrap().remaining, 1);
    assert!(!kv_take(b"bucket", RATE, 2).unwrap().allowed);
    assert_eq!(kv_take(b"bucket", RATE, 4).unwrap().retry_after_ns, -1);
    assert!(kv_take(b"bucket", Rate { burst: 3, tokens: 0, period_ms: 1 }, 1).is_none());
    assert_eq!(kv_draw(b"bucket", RATE, 1), Some(true));
    assert_eq!(kv_draw(b"bucket", RATE, 1), Some(false));
    assert_eq!(kv_charge(b"spent", 3, 5, 3_600_000), Some(true));
    assert_eq!(kv_charge(b"spent", 3, 5, 0), Some(false));
    assert!(stream_append("trail", b"first"));
    assert!(!stream_append("no/name", b"x"));
}

fn second() {
    let entry = kv_read_entry(b"cas").unwrap();
    assert_eq!(entry.value, b"1");
    assert_eq!(entry.ttl_left_ms, None);
    let keys = kv_keys(b"", b"");
    let names: Vec<&[u8]> = keys.iter().map(|(key, _)| key.as_slice()).collect();
    assert_eq!(names, [b"bucket".as_slice(), b"cas", b"once", b"spent"]);
    assert_eq!(keys.iter().map(|(_, size)| size).sum::<u32>(), 18);
    assert!(kv_keys(b"", b"spent").is_empty());
    assert_eq!(kv_write_if(b"cas", entry.version + 1000, b"2", 0), Written::Unmet);
    assert_eq!(kv_write_if(b"cas", entry.version, b"2", 0), Written::Done);
    assert_eq!(kv_remove_if(b"cas", entry.version), Written::Unmet);
    assert_eq!(kv_remove_if(b"cas", sys::VERSION_OWN), Written::Done);
    assert_eq!(kv_replace(b"once", b"c"), Written::Done);
    assert!(kv_read_entry(b"once").unwrap().ttl_left_ms.is_some());
    assert_eq!(kv_draw(b"bucket", RATE, 1), Some(false));
    assert_eq!(kv_draw(b"bucket", RATE, -1), Some(true));
    assert!(kv_take(b"bucket", RATE, 1).unwrap().allowed);
    assert_eq!(kv_charge(b"spent", -3, 0, 0), Some(true));
    assert_eq!(kv_increment(b"spent", 0), Some(0));
}

fn check(context: &QueryContext) -> Verdict {
    match context.query().as_str() {
        "SELECT 'first'" => first(),
        "SELECT 'second'" => second(),
        _ => {}
    }
    proceed()
}
pre_query!(check);

fn judge(write: &WriteContext) -> Verdict {
    if write.key() != b"refused" {
        return proceed();
    }
    assert!(!kv_write(b"key", b"value") && kv_increment(b"counter", 1).is_none()); // it only judges
    block(format!("not {}", String::from_utf8_lossy(&write.value())), "")
}
check_write!(judge);
