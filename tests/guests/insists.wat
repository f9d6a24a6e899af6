;; SPDX-License-Identifier: Apache-2.0
;;
;; Sets a key of its own for each length of input, and traps when that is refused. Expected: the store's limits
;; make the call fail, and the failure names the write and the limit, not only the trap.

(module
  (import "env" "kv_set" (func $kv_set (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4)
  (func (export "alloc") (param i32) (result i32) (i32.const 65536))
  (func (export "dealloc") (param i32 i32))
  (func (export "pre_query") (param $json i32) (param $len i32) (result i64)
    (i32.store (i32.const 1024) (local.get $len))
    (if (call $kv_set (i32.const 1024) (i32.const 4) (i32.const 1024) (i32.const 4))
      (then (unreachable)))
    (i64.const 0)))
