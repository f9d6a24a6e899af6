;; SPDX-License-Identifier: Apache-2.0
;;
;; Counts its _initialize calls in memory: pre_query blocks unless there was exactly one.

(module
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 4096))
  (func (export "dealloc") (param i32 i32))
  (data (i32.const 1024) "{\"kind\":\"block\"}")
  (global $calls (mut i32) (i32.const 0))
  (func (export "_initialize")
    (global.set $calls (i32.add (global.get $calls) (i32.const 1))))
  (func (export "pre_query") (param i32 i32) (result i64)
    (if (result i64) (i32.eq (global.get $calls) (i32.const 1))
      (then (i64.const 0))
      ;; (1024 << 32) | 16
      (else (i64.or (i64.shl (i64.const 1024) (i64.const 32)) (i64.const 16))))))
