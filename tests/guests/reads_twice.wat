;; SPDX-License-Identifier: Apache-2.0
;;
;; Reads "a", asks for the time, then reads "b" and blocks when the two bytes differ: whoever writes both at once must
;; never be seen half-way.

(module
  (import "env" "kv_get" (func $kv_get (param i32 i32 i32 i32) (result i32)))
  (import "env" "time_now_ms" (func $time_now_ms (result i64)))
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 4096))
  (func (export "dealloc") (param i32 i32))
  (data (i32.const 1024) "ab")
  (data (i32.const 2048) "{\"kind\":\"block\"}")
  (func (export "pre_query") (param i32 i32) (result i64)
    (drop (call $kv_get (i32.const 1024) (i32.const 1) (i32.const 1032) (i32.const 1)))
    (drop (call $time_now_ms))
    (drop (call $kv_get (i32.const 1025) (i32.const 1) (i32.const 1033) (i32.const 1)))
    (if (result i64)
      (i32.eq (i32.load8_u (i32.const 1032)) (i32.load8_u (i32.const 1033)))
      (then (i64.const 0))
      ;; (2048 << 32) | 16
      (else (i64.or (i64.shl (i64.const 2048) (i64.const 32)) (i64.const 16))))))
