;; SPDX-License-Identifier: Apache-2.0
;;
;; Cannot be loaded: it does not compile.

(module
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 4096))
  (func (export "dealloc") (param i32 i32))
  (func (export "pre_query") (param i32 i32) (result i64) (i32.const 0)))
