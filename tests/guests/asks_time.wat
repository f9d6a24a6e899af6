;; SPDX-License-Identifier: Apache-2.0
;;
;; Reads the byte under "n", then asks for the time, then writes the byte plus one: a test that answers for the time can
;; do what it likes between the read and the commit.

(module
  (import "env" "kv_get" (func $kv_get (param i32 i32 i32 i32) (result i32)))
  (import "env" "kv_set" (func $kv_set (param i32 i32 i32 i32) (result i32)))
  (import "env" "time_now_ms" (func $time_now_ms (result i64)))
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 4096))
  (func (export "dealloc") (param i32 i32))
  (data (i32.const 1024) "n")
  (func (export "pre_query") (param i32 i32) (result i64)
    (drop (call $kv_get (i32.const 1024) (i32.const 1) (i32.const 1032) (i32.const 1)))
    (drop (call $time_now_ms))
    (i32.store8 (i32.const 1032) (i32.add (i32.load8_u (i32.const 1032)) (i32.const 1)))
    (drop (call $kv_set (i32.const 1024) (i32.const 1) (i32.const 1032) (i32.const 1)))
    (i64.const 0)))
