;; SPDX-License-Identifier: Apache-2.0
;;
;; Cannot be loaded: it wants 64 MiB of memory to begin with.

(module
  (memory (export "memory") 1024)
  (func (export "alloc") (param i32) (result i32) (i32.const 4096))
  (func (export "dealloc") (param i32 i32))
  (func (export "pre_query") (param i32 i32) (result i64) (i64.const 0)))
