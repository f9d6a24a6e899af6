;; SPDX-License-Identifier: Apache-2.0
;; A pre_query hook that never returns where its input holds the word "loop".
(module
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "dealloc") (param i32 i32))
  (func (export "pre_query") (param $at i32) (param $bytes i32) (result i64)
    (local $end i32)
    ;; the last place where four bytes are left
    (local.set $end (i32.sub (i32.add (local.get $at) (local.get $bytes)) (i32.const 4)))
    (block $absent
      (loop $search
        (br_if $absent (i32.gt_s (local.get $at) (local.get $end)))
        ;; "loop", least significant byte first
        (if (i32.eq (i32.load align=1 (local.get $at)) (i32.const 0x706f6f6c))
          (then (loop $again (br $again))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $search)))
    (i64.const 0)))
