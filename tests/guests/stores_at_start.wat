;; SPDX-License-Identifier: Apache-2.0
;;
;; Its start function writes, before there is an instance: part of the hook call all the same.

(module
  (import "env" "kv_set" (func $kv_set (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 4096))
  (func (export "dealloc") (param i32 i32))
  (data (i32.const 1024) "key")
  (data (i32.const 1032) "value")
  (func $start
    (drop (call $kv_set (i32.const 1024) (i32.const 3) (i32.const 1032) (i32.const 5))))
  (start $start)
  (func (export "pre_query") (param i32 i32) (result i64) (i64.const 0)))
