;; SPDX-License-Identifier: Apache-2.0
;;
;; Cannot be loaded: its start function hands kv_set a key outside its memory.

(module
  (import "env" "kv_set" (func $kv_set (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 4096))
  (func (export "dealloc") (param i32 i32))
  (func $start
    (drop (call $kv_set (i32.const 65536) (i32.const 1) (i32.const 0) (i32.const 0))))
  (start $start)
  (func (export "pre_query") (param i32 i32) (result i64) (i64.const 0)))
