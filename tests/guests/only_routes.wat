;; SPDX-License-Identifier: Apache-2.0
;;
;; Can be loaded, but its only hook is not called yet.

(module
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 4096))
  (func (export "dealloc") (param i32 i32))
  (func (export "route") (param i32 i32) (result i64) (i64.const 0)))
