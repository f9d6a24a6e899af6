;; SPDX-License-Identifier: Apache-2.0
;;
;; Rewrites every statement, and keeps under "post" what post_query reads as the text that the client sent.

(module
  (import "env" "field" (func $field (param i32 i32 i32) (result i32)))
  (import "env" "rewrite" (func $rewrite (param i32 i32) (result i32)))
  (import "env" "kv_set" (func $kv_set (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "post")
  (data (i32.const 8) "SELECT 42")
  (func (export "helios_abi_version") (result i32) (i32.const 2))
  (func (export "pre_query") (result i32)
    (call $rewrite (i32.const 8) (i32.const 9)))
  (func (export "post_query") (result i32)
    (call $kv_set (i32.const 0) (i32.const 4) (i32.const 1024)
      ;; HELIOS_ORIGINAL_TEXT
      (call $field (i32.const 2) (i32.const 1024) (i32.const 4096)))))
