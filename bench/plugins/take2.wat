;; SPDX-License-Identifier: Apache-2.0
;; One transaction of ABI 2: takes a token of a bucket that has enough.
(module
  (import "env" "kv_take" (func $take (param i32 i32 i64 i64 i64 i64 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "key")
  (func (export "helios_abi_version") (result i32) (i32.const 2))
  (func (export "pre_query")
    (drop (call $take (i32.const 16) (i32.const 3) (i64.const 1) (i64.const 1000000000)
      (i64.const 1000000000) (i64.const 1000000000) (i32.const 64)))))
