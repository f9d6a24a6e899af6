;; SPDX-License-Identifier: Apache-2.0
;;
;; Never returns while there is a key "key".

(module
  (import "env" "kv_get" (func $kv_get (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 4096))
  (func (export "dealloc") (param i32 i32))
  (data (i32.const 1024) "key")
  (func (export "pre_query") (param i32 i32) (result i64)
    (if (i32.ge_s
          (call $kv_get (i32.const 1024) (i32.const 3) (i32.const 1032) (i32.const 64))
          (i32.const 0))
      (then (loop $again (br $again))))
    (i64.const 0)))
