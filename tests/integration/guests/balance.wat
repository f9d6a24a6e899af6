;; SPDX-License-Identifier: Apache-2.0
;;
;; Keeps the books of hooks: how often pre_query and post_query committed, as 8 bytes each (little-endian) under the keys
;; "pre" and "post". When nothing is in flight they must be equal. A statement whose text holds a '~' makes pre_query
;; count to 200,000,000 first.
(module
  (import "env" "kv_get" (func $kv_get (param i32 i32 i32 i32) (result i32)))
  (import "env" "kv_set" (func $kv_set (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 16) "prepost")
  ;; 128: a counter's value
  (global $top (mut i32) (i32.const 65536))

  (func (export "alloc") (param $size i32) (result i32)
    (local $block i32)
    (local.set $block (global.get $top))
    (global.set $top (i32.add (global.get $top) (local.get $size)))
    (local.get $block))
  (func (export "dealloc") (param i32 i32))

  (func $count (param $key i32) (param $key_len i32)
    (i64.store (i32.const 128) (i64.const 0))
    (drop (call $kv_get (local.get $key) (local.get $key_len) (i32.const 128) (i32.const 8)))
    (i64.store (i32.const 128) (i64.add (i64.load (i32.const 128)) (i64.const 1)))
    (drop (call $kv_set (local.get $key) (local.get $key_len) (i32.const 128) (i32.const 8))))

  (func $holds_tilde (param $ptr i32) (param $len i32) (result i32)
    (loop $next
      (if (i32.eqz (local.get $len)) (then (return (i32.const 0))))
      (if (i32.eq (i32.load8_u (local.get $ptr)) (i32.const 126)) (then (return (i32.const 1))))
      (local.set $ptr (i32.add (local.get $ptr) (i32.const 1)))
      (local.set $len (i32.sub (local.get $len) (i32.const 1)))
      (br $next))
    (unreachable))

  (func $take_time
    (local $left i32)
    (local.set $left (i32.const 200000000))
    (loop $again
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $again (local.get $left))))

  (func (export "pre_query") (param $ptr i32) (param $len i32) (result i64)
    (if (call $holds_tilde (local.get $ptr) (local.get $len)) (then (call $take_time)))
    (call $count (i32.const 16) (i32.const 3))
    (i64.const 0))

  (func (export "post_query") (param $ptr i32) (param $len i32) (result i64)
    (call $count (i32.const 19) (i32.const 4))
    (i64.const 0)))
