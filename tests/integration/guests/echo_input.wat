;; SPDX-License-Identifier: Apache-2.0
;;
;; Stores the input of pre_query, as it came, under the key "input", and that of authenticate under "login".
(module
  (import "env" "kv_set" (func $kv_set (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 16) "input")
  (data (i32.const 32) "login")
  (func (export "alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "dealloc") (param i32 i32))
  (func (export "authenticate") (param $ptr i32) (param $len i32) (result i64)
    (drop (call $kv_set (i32.const 32) (i32.const 5) (local.get $ptr) (local.get $len)))
    (i64.const 0))
  (func (export "pre_query") (param $ptr i32) (param $len i32) (result i64)
    (drop (call $kv_set (i32.const 16) (i32.const 5) (local.get $ptr) (local.get $len)))
    (i64.const 0)))
