;; SPDX-License-Identifier: Apache-2.0
;;
;; Cannot be loaded: it wants ten million table elements to begin with.

(module
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 4096))
  (func (export "dealloc") (param i32 i32))
  (table 10000000 funcref)
  (func (export "pre_query") (param i32 i32) (result i64) (i64.const 0)))
