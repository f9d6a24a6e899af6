;; SPDX-License-Identifier: Apache-2.0
;; One transaction of ABI 2: reads 8 bytes, adds 1, writes them.
(module
  (import "env" "kv_get" (func $get (param i32 i32 i32 i32) (result i32)))
  (import "env" "kv_set" (func $set (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "key")
  (func (export "helios_abi_version") (result i32) (i32.const 2))
  (func (export "pre_query")
    (drop (call $get (i32.const 16) (i32.const 3) (i32.const 64) (i32.const 8)))
    (i64.store (i32.const 64) (i64.add (i64.load (i32.const 64)) (i64.const 1)))
    (drop (call $set (i32.const 16) (i32.const 3) (i32.const 64) (i32.const 8)))))
