;; SPDX-License-Identifier: Apache-2.0
;;
;; The counter as a plugin of ABI 2, written by hand: it counts the statements of each tenant under
;; `count:<tenant>`. No allocation, no JSON.

(module
  (import "env" "field" (func $field (param i32 i32 i32) (result i32)))
  (import "env" "kv_incr" (func $kv_incr (param i32 i32 i64 i64 i64 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 1024) "count:")  ;; the tenant follows

  (func (export "helios_abi_version") (result i32) (i32.const 2))

  (func (export "pre_query") (result i32)
    (local $length i32)
    ;; HELIOS_TENANT
    (local.set $length (call $field (i32.const 7) (i32.const 1030) (i32.const 256)))
    (if (i32.eq (local.get $length) (i32.const -1))
      (then (return (i32.const 0))))  ;; nobody to count for
    (if (i32.lt_s (local.get $length) (i32.const 0))
      (then (return (i32.const 1))))
    (call $kv_incr (i32.const 1024) (i32.add (local.get $length) (i32.const 6))
      (i64.const 1) (i64.const 0x7fffffffffffffff) (i64.const 0) (i32.const 2048))))
