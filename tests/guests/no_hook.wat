;; SPDX-License-Identifier: Apache-2.0
;;
;; Cannot be loaded: it has no hook.

(module
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 4096))
  (func (export "dealloc") (param i32 i32))
  (func (export "something") (result i32) (i32.const 1)))
