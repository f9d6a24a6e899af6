;; SPDX-License-Identifier: Apache-2.0
;;
;; Cannot be loaded: it does not export alloc.

(module
  (memory (export "memory") 1)
  (func (export "dealloc") (param i32 i32))
  (func (export "pre_query") (param i32 i32) (result i64) (i64.const 0)))
