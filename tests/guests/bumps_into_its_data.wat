;; SPDX-License-Identifier: Apache-2.0
;;
;; A guard of ABI 1 laid out as linkers do it, the stack in front of the data, with an allocator that counts up
;; from the middle of the stack and looks at nothing. Expected: it blocks every statement; input for
;; which there is no room fails the call, instead of turning its answer into nothing.

(module
  (memory (export "memory") 20)
  (global $stack_pointer (mut i32) (i32.const 1048576))
  (global $next (mut i32) (i32.const 65536))
  (data (i32.const 1048576) "{\"action\":\"block\",\"value\":\"guarded\"}")  ;; 36 bytes

  (func (export "alloc") (param $size i32) (result i32)
    (global.get $next)
    (global.set $next (i32.add (global.get $next) (local.get $size))))
  (func (export "dealloc") (param i32 i32))

  (func (export "pre_query") (param i32 i32) (result i64)
    (if (result i64) (i32.eq (i32.load8_u (i32.const 1048576)) (i32.const 0x7b))
      (then (i64.or (i64.shl (i64.const 1048576) (i64.const 32)) (i64.const 36)))
      (else (i64.const 0)))))
