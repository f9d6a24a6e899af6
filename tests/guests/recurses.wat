;; SPDX-License-Identifier: Apache-2.0
;;
;; Writes, then calls itself until the stack is used up.

(module
  (import "env" "kv_set" (func $kv_set (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 4096))
  (func (export "dealloc") (param i32 i32))
  (data (i32.const 1024) "key")
  (data (i32.const 1032) "value")
  (func $deeper (param $n i64) (result i64)
    (i64.add (call $deeper (i64.add (local.get $n) (i64.const 1))) (local.get $n)))
  (func (export "pre_query") (param i32 i32) (result i64)
    ;; A write that must never be seen: key "key", value "value".
    (drop (call $kv_set (i32.const 1024) (i32.const 3) (i32.const 1032) (i32.const 5)))
    (call $deeper (i64.const 1))))
