;; SPDX-License-Identifier: Apache-2.0
;;
;; Writes down the first parameter of a statement: its type OID, format and length under "kind", its bytes under
;; "value".

(module
  (import "env" "parameter_kind" (func $parameter_kind (param i32 i32) (result i32)))
  (import "env" "parameter" (func $parameter (param i32 i32 i32) (result i32)))
  (import "env" "kv_set" (func $kv_set (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "kind")
  (data (i32.const 8) "value")
  (func (export "helios_abi_version") (result i32) (i32.const 2))
  (func (export "pre_query") (result i32)
    (local $length i32)
    (if (call $parameter_kind (i32.const 0) (i32.const 1024))
      (then (return (i32.const 0))))  ;; there is none
    (drop (call $kv_set (i32.const 0) (i32.const 4) (i32.const 1024) (i32.const 12)))
    (local.set $length (call $parameter (i32.const 0) (i32.const 2048) (i32.const 256)))
    (drop (call $kv_set (i32.const 8) (i32.const 5) (i32.const 2048) (local.get $length)))
    (i32.const 0)))
