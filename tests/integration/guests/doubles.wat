;; SPDX-License-Identifier: Apache-2.0
;;
;; Rewrites every statement to one that gives twice its only parameter.

(module
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 4096))
  (func (export "dealloc") (param i32 i32))
  (data (i32.const 1024) "{\"kind\":\"rewrite\",\"sql\":\"SELECT 2 * $1::int AS n\"}")
  (func (export "pre_query") (param i32 i32) (result i64)
    ;; (1024 << 32) | 50
    (i64.or (i64.shl (i64.const 1024) (i64.const 32)) (i64.const 50))))
