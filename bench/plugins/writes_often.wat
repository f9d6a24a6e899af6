;; SPDX-License-Identifier: Apache-2.0
;; A pre_query hook that writes one key a hundred times, in one transaction: what a host call by itself costs.
(module
  (import "env" "kv_set" (func $kv_set (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "tenant:acme:usage")
  (func (export "alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "dealloc") (param i32 i32))
  (func (export "pre_query") (param i32 i32) (result i64)
    (local $left i32)
    (local.set $left (i32.const 100))
    (loop $again
      (drop (call $kv_set (i32.const 16) (i32.const 17) (i32.const 64) (i32.const 8)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $again (local.get $left)))
    (i64.const 0)))
