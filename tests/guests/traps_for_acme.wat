;; SPDX-License-Identifier: Apache-2.0
;;
;; Traps when the text "acme" stands anywhere in its input.

(module
  (memory (export "memory") 2)
  (func (export "alloc") (param i32) (result i32) (i32.const 4096))
  (func (export "dealloc") (param i32 i32))
  (func (export "pre_query") (param $at i32) (param $len i32) (result i64)
    (local $end i32)
    (local.set $end (i32.add (local.get $at) (local.get $len)))
    (loop $next
      ;; "acme", as the number that its bytes are
      (if (i32.eq (i32.load align=1 (local.get $at)) (i32.const 0x656d6361)) (then (unreachable)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
    (i64.const 0)))
