;; SPDX-License-Identifier: Apache-2.0
;;
;; Cannot be loaded: its pre_query has another type than the proxy calls it with.

(module
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 4096))
  (func (export "dealloc") (param i32 i32))
  (func (export "pre_query") (param i32) (result i32) (i32.const 0)))
