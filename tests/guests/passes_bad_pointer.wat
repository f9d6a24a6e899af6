;; SPDX-License-Identifier: Apache-2.0
;;
;; Writes, then hands kv_get a key that lies outside its memory.

(module
  (import "env" "kv_set" (func $kv_set (param i32 i32 i32 i32) (result i32)))
  (import "env" "kv_get" (func $kv_get (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 4096))
  (func (export "dealloc") (param i32 i32))
  (data (i32.const 1024) "key")
  (data (i32.const 1032) "value")
  (func (export "pre_query") (param i32 i32) (result i64)
    ;; A write that must never be seen: key "key", value "value".
    (drop (call $kv_set (i32.const 1024) (i32.const 3) (i32.const 1032) (i32.const 5)))
    (drop (call $kv_get (i32.const 65530) (i32.const 100) (i32.const 0) (i32.const 0)))
    (i64.const 0)))
